/**
 * What delivery itself says: few words, each with what helps. Everything else is the handlers' catalogue. Long because every
 * sentence stands here once per language.
 */
import type { Language } from './catalogue/catalogue.ts'

const english = {
  stopped: '⏹ Stopped.',
  nothingSaid: '✓ Done.',
  maxIterations: '⏸ I paused after many steps. Write “go on” to let me continue.',
  steps: '🧾 Steps',
  stop: '⏹ Stop',
  retry: '🔁 Retry',
  resend: '🔁 Send it again',
  unsure: 'I could not make sure that my last message reached you.',
  longAnswer: 'The whole answer is in this file.',
  unreachable: 'My machine does not answer. Your message is kept: press Retry in a minute.',
  interrupted: 'I was interrupted and cannot tell how far I got. Press Retry to ask again.',
  notReady: 'This agent has no machine at the moment. See /manage.',
  failed: 'Something went wrong on my side. Press Retry to ask again.',
  updateFailed: 'I could not handle that just now. Please send it again in a minute.',
  fileMissing: (name: string) => `I wanted to send ${name}, but the file is not there any more.`,
  fileTooLarge: (name: string) => `${name} is larger than 50 MB, which is the most a bot may send.`,
  fileUnreachable: (name: string) => `I could not fetch ${name} from my machine. Ask me to send it again.`,
  fileRefused: (name: string) => `Telegram does not accept ${name}. Ask me to send it in another form.`,
  incomingTooLarge: (name: string) =>
    `${name} is larger than 20 MB, the most a bot may fetch: the agent does not get it.`,
  incomingFailed: (name: string) => `${name} could not be fetched from Telegram: the agent does not get it.`,
  resent: 'Sent again.',
  resentAlready: 'It was sent already.',
}

export type DeliveryWords = Readonly<typeof english>

const french: DeliveryWords = {
  stopped: '⏹ Arrêté.',
  nothingSaid: '✓ Terminé.',
  maxIterations: '⏸ Je fais une pause après de nombreuses étapes. Écrivez « continue » pour que je poursuive.',
  steps: '🧾 Étapes',
  stop: '⏹ Arrêter',
  retry: '🔁 Réessayer',
  resend: '🔁 Renvoyer',
  unsure: 'Je n’ai pas pu vérifier que mon dernier message vous est parvenu.',
  longAnswer: 'La réponse complète est dans ce fichier.',
  unreachable: 'Ma machine ne répond pas. Votre message est conservé : appuyez sur Réessayer dans une minute.',
  interrupted: 'J’ai été interrompu et je ne sais pas où j’en étais. Appuyez sur Réessayer pour reposer la question.',
  notReady: 'Cet agent n’a pas de machine pour le moment. Voir /manage.',
  failed: 'Une erreur s’est produite de mon côté. Appuyez sur Réessayer pour reposer la question.',
  updateFailed: 'Je n’ai pas pu traiter cela à l’instant. Renvoyez-le dans une minute.',
  fileMissing: (name) => `Je voulais envoyer ${name}, mais le fichier n’existe plus.`,
  fileTooLarge: (name) => `${name} dépasse 50 Mo, le maximum qu’un bot peut envoyer.`,
  fileUnreachable: (name) => `Je n’ai pas pu récupérer ${name} sur ma machine. Demandez-moi de le renvoyer.`,
  fileRefused: (name) => `Telegram n’accepte pas ${name}. Demandez-moi de l’envoyer sous une autre forme.`,
  incomingTooLarge: (name) => `${name} dépasse 20 Mo, le maximum qu’un bot peut recevoir : l’agent ne l’aura pas.`,
  incomingFailed: (name) => `${name} n’a pas pu être récupéré auprès de Telegram : l’agent ne l’aura pas.`,
  resent: 'Renvoyé.',
  resentAlready: 'C’était déjà envoyé.',
}

const spanish: DeliveryWords = {
  stopped: '⏹ Detenido.',
  nothingSaid: '✓ Listo.',
  maxIterations: '⏸ Hice una pausa tras muchos pasos. Escribe «sigue» para que continúe.',
  steps: '🧾 Pasos',
  stop: '⏹ Detener',
  retry: '🔁 Reintentar',
  resend: '🔁 Enviar de nuevo',
  unsure: 'No pude comprobar que mi último mensaje te llegara.',
  longAnswer: 'La respuesta completa está en este archivo.',
  unreachable: 'Mi máquina no responde. Tu mensaje está guardado: pulsa Reintentar en un minuto.',
  interrupted: 'Me interrumpieron y no sé hasta dónde llegué. Pulsa Reintentar para preguntar de nuevo.',
  notReady: 'Este agente no tiene máquina por ahora. Mira /manage.',
  failed: 'Algo falló por mi parte. Pulsa Reintentar para preguntar de nuevo.',
  updateFailed: 'No pude procesarlo ahora. Envíalo de nuevo en un minuto.',
  fileMissing: (name) => `Quería enviar ${name}, pero el archivo ya no está.`,
  fileTooLarge: (name) => `${name} supera los 50 MB, lo máximo que puede enviar un bot.`,
  fileUnreachable: (name) => `No pude obtener ${name} de mi máquina. Pídeme que lo envíe de nuevo.`,
  fileRefused: (name) => `Telegram no acepta ${name}. Pídeme que lo envíe de otra forma.`,
  incomingTooLarge: (name) => `${name} supera los 20 MB, lo máximo que puede recibir un bot: el agente no lo tendrá.`,
  incomingFailed: (name) => `${name} no se pudo obtener de Telegram: el agente no lo tendrá.`,
  resent: 'Enviado de nuevo.',
  resentAlready: 'Ya se había enviado.',
}

const russian: DeliveryWords = {
  stopped: '⏹ Остановлено.',
  nothingSaid: '✓ Готово.',
  maxIterations: '⏸ Я сделал паузу после многих шагов. Напишите «продолжай», и я продолжу.',
  steps: '🧾 Шаги',
  stop: '⏹ Стоп',
  retry: '🔁 Повторить',
  resend: '🔁 Отправить ещё раз',
  unsure: 'Не удалось убедиться, что моё последнее сообщение дошло до вас.',
  longAnswer: 'Полный ответ — в этом файле.',
  unreachable: 'Моя машина не отвечает. Ваше сообщение сохранено: нажмите «Повторить» через минуту.',
  interrupted: 'Меня прервали, и я не знаю, на чём остановился. Нажмите «Повторить», чтобы спросить снова.',
  notReady: 'У этого агента сейчас нет машины. См. /manage.',
  failed: 'У меня что-то пошло не так. Нажмите «Повторить», чтобы спросить снова.',
  updateFailed: 'Сейчас не получилось это обработать. Отправьте ещё раз через минуту.',
  fileMissing: (name) => `Я хотел отправить ${name}, но файла больше нет.`,
  fileTooLarge: (name) => `${name} больше 50 МБ — это предел для бота.`,
  fileUnreachable: (name) => `Не удалось получить ${name} с моей машины. Попросите отправить ещё раз.`,
  fileRefused: (name) => `Telegram не принимает ${name}. Попросите отправить в другом виде.`,
  incomingTooLarge: (name) => `${name} больше 20 МБ — больше бот получить не может: агент его не увидит.`,
  incomingFailed: (name) => `Не удалось получить ${name} от Telegram: агент его не увидит.`,
  resent: 'Отправлено ещё раз.',
  resentAlready: 'Уже отправлено.',
}

const chinese: DeliveryWords = {
  stopped: '⏹ 已停止。',
  nothingSaid: '✓ 完成。',
  maxIterations: '⏸ 步骤较多，我先暂停。发送“继续”让我接着做。',
  steps: '🧾 步骤',
  stop: '⏹ 停止',
  retry: '🔁 重试',
  resend: '🔁 重新发送',
  unsure: '我无法确认上一条消息是否已送达。',
  longAnswer: '完整回答在这个文件里。',
  unreachable: '我的机器没有响应。你的消息已保留：请一分钟后按“重试”。',
  interrupted: '我被中断了，不确定进行到哪一步。按“重试”再问一次。',
  notReady: '这个智能体目前没有机器。请看 /manage。',
  failed: '我这边出了问题。按“重试”再问一次。',
  updateFailed: '刚才没能处理。请一分钟后再发一次。',
  fileMissing: (name) => `我想发送 ${name}，但文件已经不在了。`,
  fileTooLarge: (name) => `${name} 超过 50 MB，这是机器人能发送的上限。`,
  fileUnreachable: (name) => `无法从我的机器取得 ${name}。请让我再发一次。`,
  fileRefused: (name) => `Telegram 不接受 ${name}。请让我换一种形式发送。`,
  incomingTooLarge: (name) => `${name} 超过 20 MB，机器人无法获取：智能体收不到它。`,
  incomingFailed: (name) => `无法从 Telegram 获取 ${name}：智能体收不到它。`,
  resent: '已重新发送。',
  resentAlready: '已经发送过了。',
}

const BY_LANGUAGE: Readonly<Record<Language, DeliveryWords>> = {
  en: english,
  fr: french,
  es: spanish,
  ru: russian,
  zh: chinese,
}

export function deliveryWords(language: Language = 'en'): DeliveryWords {
  return BY_LANGUAGE[language]
}
