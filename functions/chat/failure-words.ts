/**
 * What a person is told of a failure inside an agent, by the code that the agent server gives. Said below an answer, where a
 * button tries again, and as a result of background work, where none does. Nothing here blames the person.
 */
import type { ErrorCode } from '../../agent-vm/protocol.ts'
import type { Language } from './catalogue/catalogue.ts'

export type FailureWords = Readonly<Record<ErrorCode, string>>

export const FAILURE_WORDS: Readonly<Record<Language, FailureWords>> = {
  en: {
    model_unreachable: 'The model that I think with does not answer just now. Try again in a minute.',
    model_refused: 'The model that I think with did not take this. Try again, or say it in another way.',
    rate_limited: 'The model that I think with is busy just now. Try again in a minute.',
    out_of_credit: 'My budget for thinking is used up, so I cannot answer for now. /doctor tells more.',
    unauthorized: 'The model that I think with does not accept my key. My owner can mend that with /repair.',
    context_overflow: 'That is more than I can keep in mind at once. Send less at a time, or begin anew with /new.',
    interrupted: 'I was interrupted and cannot tell how far I got. Please look, and ask me again.',
    storage: 'I could not write to my disk: it may be full. Ask me to tidy up; if I cannot, the operator has to look.',
    internal: 'Something broke inside me. Try again; if it happens again, /doctor may know why.',
  },
  fr: {
    model_unreachable: 'Le modèle avec lequel je pense ne répond pas pour le moment. Réessayez dans une minute.',
    model_refused: 'Le modèle avec lequel je pense n’a pas accepté cela. Réessayez, ou dites-le autrement.',
    rate_limited: 'Le modèle avec lequel je pense est occupé pour le moment. Réessayez dans une minute.',
    out_of_credit:
      'Mon budget de réflexion est épuisé : je ne peux pas répondre pour l’instant. /doctor en dit davantage.',
    unauthorized: 'Le modèle avec lequel je pense n’accepte pas ma clé. Mon propriétaire peut y remédier avec /repair.',
    context_overflow:
      'C’est plus que je ne peux garder en tête d’un coup. Envoyez moins à la fois, ou recommencez avec /new.',
    interrupted: 'J’ai été interrompu et je ne sais pas où j’en étais. Vérifiez, puis demandez-le-moi à nouveau.',
    storage:
      'Je n’ai pas pu écrire sur mon disque : il est peut-être plein. Demandez-moi de faire du rangement ; si je n’y arrive pas, l’opérateur doit regarder.',
    internal: 'Quelque chose s’est cassé en moi. Réessayez ; si cela se reproduit, /doctor sait peut-être pourquoi.',
  },
  es: {
    model_unreachable: 'El modelo con el que pienso no responde ahora. Inténtalo de nuevo en un minuto.',
    model_refused: 'El modelo con el que pienso no aceptó esto. Inténtalo de nuevo o dilo de otra manera.',
    rate_limited: 'El modelo con el que pienso está ocupado ahora. Inténtalo de nuevo en un minuto.',
    out_of_credit: 'Se acabó mi presupuesto para pensar, así que por ahora no puedo responder. /doctor dice más.',
    unauthorized: 'El modelo con el que pienso no acepta mi clave. Mi dueño puede arreglarlo con /repair.',
    context_overflow:
      'Es más de lo que puedo tener en la cabeza a la vez. Envía menos de una vez o empieza de nuevo con /new.',
    interrupted: 'Me interrumpieron y no sé hasta dónde llegué. Compruébalo y pregúntame otra vez.',
    storage:
      'No pude escribir en mi disco: quizá esté lleno. Pídeme que ordene; si no puedo, el operador tiene que mirarlo.',
    internal: 'Algo se rompió dentro de mí. Inténtalo de nuevo; si vuelve a pasar, quizá /doctor sepa por qué.',
  },
  ru: {
    model_unreachable: 'Модель, которой я думаю, сейчас не отвечает. Попробуйте ещё раз через минуту.',
    model_refused: 'Модель, которой я думаю, это не приняла. Попробуйте ещё раз или скажите иначе.',
    rate_limited: 'Модель, которой я думаю, сейчас занята. Попробуйте ещё раз через минуту.',
    out_of_credit: 'Мой бюджет на размышления исчерпан, пока я не могу ответить. Подробнее — /doctor.',
    unauthorized: 'Модель, которой я думаю, не принимает мой ключ. Владелец может исправить это командой /repair.',
    context_overflow: 'Это больше, чем я могу удержать в голове. Отправляйте меньше за раз или начните заново: /new.',
    interrupted: 'Меня прервали, и я не знаю, на чём остановился. Проверьте и спросите ещё раз.',
    storage:
      'Не удалось записать на мой диск: возможно, он заполнен. Попросите меня прибраться; если не смогу, пусть посмотрит оператор.',
    internal: 'Внутри меня что-то сломалось. Попробуйте ещё раз; если повторится, причину может знать /doctor.',
  },
  zh: {
    model_unreachable: '我用来思考的模型暂时没有响应。请一分钟后再试。',
    model_refused: '我用来思考的模型没有接受这个请求。请再试一次，或换一种说法。',
    rate_limited: '我用来思考的模型现在很忙。请一分钟后再试。',
    out_of_credit: '我的思考额度已用完，暂时无法回答。详情请看 /doctor。',
    unauthorized: '我用来思考的模型不接受我的密钥。我的主人可以用 /repair 修复。',
    context_overflow: '内容太多，我一次记不住。请分次少发一些，或用 /new 重新开始。',
    interrupted: '我被中断了，不确定进行到哪一步。请检查一下，再问我一次。',
    storage: '我无法写入磁盘：可能已满。请让我清理一下；如果不行，需要由运营者查看。',
    internal: '我内部出了故障。请再试一次；如果再次发生，/doctor 也许知道原因。',
  },
}
