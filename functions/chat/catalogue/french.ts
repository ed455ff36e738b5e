/** French. Same keys as English, in the same order; long for the same reason. */
import type { Catalogue } from './english.ts'
import { bold, code, fmt } from './format.ts'
import { plural } from './plural.ts'

const n = (count: number, one: string, other: string) => `${count} ${plural('fr', count, { one, other })}`

export const french: Catalogue = {
  buttons: {
    create: '➕ Créer un agent',
    createConfirm: '🚀 Créer',
    back: '‹ Retour',
    cancel: 'Annuler',
    skip: 'Passer',
    list: 'Mes agents',
    help: 'Aide',
    chat: '💬 Discuter',
    update: '⬆️ Mettre à jour',
    repair: '🔧 Réparer',
    customize: '🎭 Personnaliser',
    share: '🔗 Partager',
    delete: '🗑 Supprimer',
    deleteConfirm: 'Oui, le supprimer',
    keep: 'Non, le garder',
    retry: '🔁 Réessayer',
    name: 'Nom',
    personality: 'Personnalité',
    model: 'Modèle',
    runAgain: '🔁 Relancer',
    useOwnKey: '🔑 Utiliser ma propre clé',
    newLink: '➕ Nouveau lien',
    createLink: 'Créer le lien',
    copyLink: '📋 Copier',
    sendLink: '📤 Envoyer à quelqu’un',
    revoke: 'Fermer ce lien',
    people: '👥 Personnes',
    leave: 'Quitter',
    block: (name) => `🚫 Bloquer ${name}`,
    unblock: (name) => `✅ Laisser revenir ${name}`,
    edit: '✏️ Réécrire',
    forget: '🧽 Tout oublier',
    forgetConfirm: 'Oui, oublier',
    automatic: 'Comme dans Telegram',
    compact: '🗜 Résumer',
    newChat: '🆕 Nouvelle conversation',
    logout: 'Retirer ma clé',
    hideSteps: 'Masquer les étapes',
    showSteps: 'Montrer les étapes',
    up: '⬆ Remonter',
    language: '🌐 Langue',
    timezone: '🕒 Fuseau horaire',
    account: 'Mon compte',
    usage: '📊 Consommation',
    rich: '🖼 Réponses enrichies',
    richAuto: '✅ Oui, si c’est utile',
    richAlways: '✅ Oui, toujours',
    richNever: 'Non, texte simple',
  },
  start: {
    first: (p) =>
      fmt`Bonjour ${bold(p.name)} 👋 Je vous donne un agent IA rien qu’à vous : il a son propre ordinateur, retient ce qui compte et travaille en votre absence.`,
    tryOne: 'Partez d’une idée, ou créez le vôtre :',
    privacy: '🔒 Votre agent est privé. Vous seul pouvez lui parler, sauf si vous le partagez.',
    again: (p) => fmt`Bon retour, ${bold(p.name)}. Vous avez ${n(p.agents, 'agent', 'agents')}.`,
    group: (p) =>
      fmt`Bonjour ! Choisissez un de vos agents pour ce groupe avec /list@${p.bot}. Ensuite, mentionnez-moi ou répondez-moi, et il répond.`,
    examples: [
      {
        label: '🗓 Organiser ma semaine',
        name: 'Agenda',
        purpose:
          'M’aider à organiser mes journées et mes semaines, tenir ma liste de tâches et me rappeler l’essentiel.',
      },
      {
        label: '📚 M’apprendre une langue',
        name: 'Professeur',
        purpose:
          'M’apprendre une langue par de courtes leçons quotidiennes, la parler avec moi et me corriger gentiment.',
      },
      {
        label: '💻 M’aider à coder',
        name: 'Codeur',
        purpose: 'M’aider à écrire, exécuter et corriger du code, et expliquer ce que tu fais.',
      },
    ],
  },
  visit: {
    welcome: (p) =>
      fmt`Vous parlez maintenant à ${bold(p.agent)}, qui a été partagé avec vous. Écrivez simplement.\n\nVotre conversation est séparée de celle des autres. Le propriétaire peut voir combien vous l’utilisez. /manage pour le quitter.`,
    own: (p) => fmt`C’est le lien de votre propre agent ${bold(p.agent)}. Écrivez simplement.`,
    closed: 'Ce lien ne marche plus. Demandez-en un nouveau à la personne qui vous l’a donné.',
    full: 'Toutes les places de ce lien sont prises. Demandez un nouveau lien.',
    blocked: 'Le propriétaire vous a fermé l’accès à cet agent.',
  },
  help: {
    body: (p) =>
      fmt`${bold('Ce que je sais faire')}\n\n/create – créer un agent\n/list – vos agents\n/manage – quitter l’agent avec qui vous parlez\n\n${bold('Pendant la discussion')}\n/stop – arrêter la réponse\n/new – nouvelle conversation\n/compact – résumer une longue conversation\n/status – comment il va\n/memory, /files, /schedule – ce qu’il sait, possède et prévoit\n/verbose – montrer ou masquer ses étapes\n\n${bold('Votre agent')}\n/soul – nom, personnalité, modèle\n/share – laisser d’autres lui parler\n/repair, /update, /doctor – quand quelque chose cloche\n/export – l’emporter avec vous\n/delete – le supprimer\n\n${bold('Vous')}\n/account, /usage, /login, /language, /timezone${p.create ? '\n\nVous n’avez pas encore d’agent : appuyez sur le bouton.' : ''}`,
  },
  wizard: {
    step: (p) => `Étape ${p.number} sur ${p.of}`,
    askName: () => fmt`${bold('Comment s’appellera votre agent ?')}\n\nÉcrivez un nom, 64 caractères au plus.`,
    askPurpose: (p) =>
      fmt`${bold(`À quoi servira ${p.name} ?`)}\n\nÉcrivez une phrase ou deux, ou passez : il vous aidera pour tout.`,
    askModel: (p) => bold(`Avec quel modèle ${p.name} réfléchira-t-il ?`),
    confirm: (p) => fmt`${bold('Prêt à créer')}\n\nNom : ${bold(p.name)}\nModèle : ${p.model}`,
    purpose: 'But :',
    anything: 'But : tout ce que vous demanderez',
    nameEmpty: 'Le nom est vide. Écrivez au moins un caractère.',
    nameTooLong: (p) => `Cela fait ${p.length} caractères ; un nom en a 64 au plus. Écrivez-en un plus court.`,
    textTooLong: (p) => `Cela fait ${p.length} caractères ; il y a place pour ${p.max}. Écrivez plus court.`,
    textOnly: 'Écrivez-le sous forme de texte, s’il vous plaît.',
    modelNotOffered: 'Je n’ai pas ce modèle. Choisissez l’un de ceux-ci.',
    pressButton: 'Appuyez sur l’un des boutons, s’il vous plaît.',
    cancelled: 'Annulé. Rien n’a été changé.',
    expired: 'Ce menu a expiré. Rien n’a été changé.',
    nothingToCancel: 'Il n’y a rien à annuler.',
    limitReached: (p) => fmt`Vous avez ${n(p.max, 'agent', 'agents')}, c’est le maximum. Supprimez-en un d’abord.`,
  },
  models: {
    'qwen3-coder-next': 'rapide, bon en code et avec les outils',
    'glm-4.7': 'réfléchi, pour les longues conversations',
  },
  deploy: {
    creating: (p) => fmt`Création de ${bold(p.name)}`,
    repairing: (p) => fmt`Réparation de ${bold(p.name)}`,
    updating: (p) => fmt`Mise à jour de ${bold(p.name)}`,
    deleting: (p) => fmt`Suppression de ${bold(p.name)}`,
    ready: (p) => fmt`✅ ${bold(p.name)} est prêt (${p.elapsed}).`,
    repaired: (p) => fmt`✅ ${bold(p.name)} est réparé et fonctionne.`,
    updated: (p) => fmt`✅ ${bold(p.name)} est à jour et fonctionne.`,
    deleted: (p) => fmt`🗑 ${bold(p.name)} n’existe plus, ni son ordinateur ni ses fichiers.`,
    failed: (p) => fmt`⚠️ ${bold(p.name)} : ${p.reason}`,
    deleteFailed: (p) =>
      fmt`⚠️ ${bold(p.name)} est fermé, mais son ordinateur n’a pas encore pu être retiré. Je continue d’essayer tout seul.`,
    steps: {
      queued: 'En attente d’une place',
      claim: 'Recherche d’un ordinateur libre',
      record: 'Commande d’un ordinateur',
      instance: 'Commande d’un ordinateur',
      create: 'Commande d’un ordinateur',
      placement: 'Recherche d’un emplacement',
      boot: 'Attente de son démarrage',
      ssh: 'Attente de son démarrage',
      deploy: 'Installation',
      connect: 'Connexion',
      inspect: 'Tour du propriétaire',
      packages: 'Installation du nécessaire',
      users: 'Mise en sécurité',
      runtime: 'Installation du moteur',
      bundle: 'Copie de l’agent',
      workspace: 'Préparation de ses dossiers',
      secrets: 'Remise de ses clés',
      service: 'Démarrage de l’agent',
      ingress: 'Ouverture de sa porte',
      health: 'Vérification qu’il répond',
      wipe: 'Effacement de ses données',
      forget: 'Restitution de l’ordinateur',
      done: 'Terminé',
    },
    stepOther: 'En cours',
    errors: {
      out_of_credit: 'il n’y a plus de crédit pour un ordinateur en ce moment. L’opérateur doit recharger.',
      no_credit: 'il n’y a plus de crédit pour un ordinateur en ce moment. L’opérateur doit recharger.',
      rejected: 'la commande d’un ordinateur a été refusée. Réessayez dans une minute.',
      core_nodes_unreachable:
        'le nuage est injoignable en ce moment. Rien n’est perdu : réessayez dans quelques minutes.',
      runner_unreachable:
        'le service qui installe les ordinateurs ne répond pas. Rien n’est perdu : réessayez dans une minute.',
      no_capacity: 'aucun ordinateur n’est libre en ce moment. Réessayez dans quelques minutes.',
      placement_timeout: 'l’ordinateur est lent à démarrer. Rien n’est perdu : réessayez.',
      boot_timeout: 'l’ordinateur ne démarre pas. Rien n’est perdu : réessayez.',
      unreachable: 'son ordinateur est injoignable. Rien n’est perdu : réessayez.',
      host_key_mismatch: 'un autre ordinateur a répondu à sa place, je me suis donc arrêté. L’opérateur doit regarder.',
      auth_failed: 'son ordinateur refuse ma clé. L’opérateur doit regarder.',
      busy: 'son ordinateur est occupé à autre chose. Réessayez dans une minute.',
      disconnected: 'la connexion à son ordinateur a été coupée. Rien n’est perdu : réessayez.',
      step_failed: 'l’installation a échoué à une étape. Rien n’est perdu : réessayez.',
      unhealthy: 'il est installé mais ne répond pas. Rien n’est perdu : réessayez.',
      timeout: 'cela a pris trop de temps. Rien n’est perdu : réessayez.',
      internal: 'quelque chose s’est mal passé de mon côté. Rien n’est perdu : réessayez.',
    },
  },
  duration: {
    seconds: (p) => `${p.seconds} s`,
    minutes: (p) => `${p.minutes} min ${p.seconds} s`,
    hours: (p) => n(p.hours, 'heure', 'heures'),
    onlyMinutes: (p) => n(p.minutes, 'minute', 'minutes'),
    days: (p) => n(p.days, 'jour', 'jours'),
  },
  list: {
    title: 'Vos agents',
    none: 'Vous n’avez pas encore d’agent.',
    visited: 'Partagés avec vous',
    current: 'Vous parlez avec lui',
    status: 'État',
    model: 'Modèle',
    version: 'Version',
    choose: 'Quel agent ?',
  },
  statuses: {
    creating: 'en création',
    running: 'en marche',
    failed: 'a un problème',
    deleting: 'en suppression',
    deleted: 'supprimé',
  },
  chat: {
    now: (p) => fmt`Vous parlez à ${bold(p.agent)}. Écrivez simplement.`,
    left: (p) => fmt`Vous avez quitté ${bold(p.agent)}. Il reste tel qu’il est.`,
    noAgent: 'Vous ne parlez à aucun agent pour l’instant. Choisissez :',
    noAgents: 'Vous n’avez pas encore d’agent. Créez-en un, cela prend une minute.',
    notFound: 'Cet agent n’existe pas, ou il n’est pas à vous.',
    gone: 'Cet agent n’existe plus.',
    starting: (p) => fmt`${bold(p.agent)} est encore en création. Je vous préviens ici dès qu’il est prêt.`,
    failed: (p) => fmt`${bold(p.agent)} ne fonctionne pas. Essayez de le réparer.`,
    linkClosed: (p) =>
      fmt`Le lien vers ${bold(p.agent)} a été fermé ou a expiré. Demandez-en un nouveau à son propriétaire.`,
    groupPrivate: (p) =>
      fmt`${bold(p.agent)} répond maintenant ici quand quelqu’un me mentionne ou me répond. Dans un groupe, il n’utilise pas votre mémoire ni vos fichiers privés.`,
    unknownCommand: (p) => fmt`Je ne connais pas ${p.command}. Voir /help.`,
    onlyPrivate: 'Cela ne marche qu’en discussion privée avec moi.',
    ownerOnly: 'Seul le propriétaire de cet agent peut faire cela.',
    adminOnly: 'C’est réservé à l’opérateur de ce bot.',
    edited: 'Vous avez modifié un message que l’agent a déjà lu. Doit-il répondre au nouveau ?',
    editedGone: 'Ce message est trop ancien. Envoyez-le de nouveau, s’il vous plaît.',
    runningAgain: 'C’est relancé',
  },
  toasts: {
    outdated: 'Ce menu n’est plus à jour.',
    notYours: 'Ce menu est à quelqu’un d’autre.',
    saved: 'Enregistré',
    nothing: 'Rien à faire.',
  },
  limits: {
    freeTier: (p) =>
      fmt`C’étaient vos ${n(p.max, 'message', 'messages')} du jour. Il y en aura d’autres dans ${p.left} (00:00 UTC), ou tout de suite avec votre propre clé.`,
    link: (p) =>
      fmt`Le propriétaire vous accorde ${n(p.max, 'message', 'messages')} par jour, et ils sont utilisés. Il y en aura d’autres dans ${p.left} (00:00 UTC).`,
  },
  stop: {
    stopped: 'Arrêté.',
    nothing: 'Rien n’est en cours.',
  },
  conversation: {
    cleared: 'Nouvelle conversation. La mémoire et les fichiers sont gardés.',
    compacted: 'La conversation est plus courte maintenant ; l’essentiel est gardé.',
    notCompacted: 'La conversation est déjà courte.',
    verboseOn: 'Ses étapes sont montrées pendant qu’il travaille.',
    verboseOff: 'Ses étapes sont masquées ; vous ne voyez que les réponses.',
  },
  status: {
    line: (p) => fmt`${bold(p.agent)} : ${p.status}\nModèle : ${p.model}`,
    version: (p) => fmt`Version ${p.version}, en marche depuis ${p.uptime}`,
    working: 'Il prépare une réponse. /stop l’arrête.',
    idle: 'Il vous attend.',
    silent: 'Il ne répond pas en ce moment. Essayez /doctor.',
  },
  soul: {
    card: (p) => fmt`${bold(p.agent)}\nModèle : ${p.model}\n\nPersonnalité :`,
    askName: (p) => fmt`${bold(`Un nouveau nom pour ${p.agent} ?`)}\n\n64 caractères au plus.`,
    askPersonality: (p) =>
      fmt`${bold(`Qui doit être ${p.agent} ?`)}\n\nDécrivez comment il doit se comporter et à quoi il sert. Cela remplace ce qui y est.`,
    saved: (p) => fmt`Enregistré. ${bold(p.agent)} en tient compte dès votre prochain message.`,
    chooseModel: (p) => fmt`${bold(`Avec quel modèle ${p.agent} réfléchira-t-il ?`)}`,
    modelSet: (p) => fmt`${bold(p.agent)} réfléchit avec ${bold(p.model)} dès votre prochain message.`,
  },
  delete: {
    confirm: (p) =>
      fmt`${bold(`Supprimer ${p.agent} ?`)}\n\nSon ordinateur, ses fichiers, sa mémoire et ses liens seront supprimés pour de bon. /export en garde d’abord une copie.`,
  },
  repair: {
    notNow: (p) => fmt`On s’occupe déjà de ${bold(p.agent)}.`,
  },
  share: {
    title: (p) => fmt`${bold(`Qui peut parler à ${p.agent}`)}`,
    onlyYou:
      'Vous seul. Un lien laisse entrer d’autres personnes : chacune avec sa conversation et son dossier, sans votre mémoire ni vos fichiers.',
    settings: (p) =>
      fmt`${bold(`Un lien vers ${p.agent}`)}\n\nCombien de temps il vit, combien de personnes il laisse entrer, et combien de messages par jour a chacune :`,
    days: (p) => (p.days ? n(p.days, 'jour', 'jours') : 'toujours'),
    people: (p) => (p.people ? n(p.people, 'personne', 'personnes') : 'tous'),
    messages: (p) => (p.messages ? `${p.messages} par jour` : 'sans limite'),
    link: (p) => fmt`🔗 ${bold(p.agent)}\n${p.url}\n\n${p.terms}`,
    terms: (p) => `Durée : ${p.days} · laisse entrer : ${p.people} · messages : ${p.messages}`,
    expires: (p) => `encore ${p.left}`,
    invitation: (p) => `Parle à ${p.agent} :`,
    revoked: 'Le lien est fermé. Ceux qui sont venus par lui sont dehors aussi.',
    noPeople: 'Personne n’est encore venu.',
    person: (p) =>
      fmt`${bold(p.name)} : ${p.blocked ? 'bloqué' : `${n(p.messages, 'message', 'messages')} aujourd’hui`}`,
  },
  account: {
    title: 'Votre compte',
    freeTier: (p) => fmt`Messages aujourd’hui : ${bold(`${p.used} sur ${p.max}`)}, de nouveaux dans ${p.left}.`,
    ownKey: 'Vous utilisez votre propre clé : pas de limite quotidienne de ma part.',
    balance: (p) => fmt`Solde de votre clé : ${bold(p.balance)}`,
    keyRefused: 'LibertAI refuse votre clé. Envoyez-en une nouvelle avec /login.',
    agents: (p) => fmt`Agents : ${bold(`${p.agents} sur ${p.max}`)}`,
    settings: (p) => fmt`Langue : ${p.language} · Fuseau horaire : ${p.timezone}`,
    noTimezone: 'non réglé',
  },
  login: {
    how: () =>
      fmt`Envoyez ${code('/login VOTRE-CLÉ')} avec une clé LibertAI (console.libertai.io). J’efface votre message aussitôt, je garde la clé scellée, et elle n’arrive jamais sur l’ordinateur d’un agent.`,
    saved: 'Votre clé fonctionne et est gardée scellée. J’ai effacé votre message.',
    refused: 'LibertAI refuse cette clé. J’ai effacé votre message ; rien n’a été changé.',
    unreachable: 'LibertAI est injoignable en ce moment. J’ai effacé votre message ; réessayez dans une minute.',
    malformed: 'Cela ne ressemble pas à une clé. J’ai effacé votre message par prudence.',
    loggedOut: 'Votre clé est retirée.',
    notLoggedIn: 'Vous n’avez pas de clé à vous ici.',
  },
  usage: {
    title: 'Consommation des 7 derniers jours',
    none: 'Rien n’a encore été utilisé.',
    agent: (p) =>
      fmt`${bold(p.agent)} : ${p.tokens} jetons en ${n(p.requests, 'requête', 'requêtes')}, ${p.cached} % de la lecture réutilisés`,
  },
  language: {
    choose: 'Dans quelle langue dois-je parler ? Votre agent répond dans la langue où vous lui écrivez.',
    set: 'Je parle français maintenant.',
    name: 'Français',
  },
  timezone: {
    choose: (p) =>
      fmt`Votre fuseau horaire : ${bold(p.current)} (${p.time}).\n\nChoisissez-en un, ou envoyez par exemple ${code('/timezone Europe/Paris')}.`,
    set: (p) => fmt`Votre fuseau horaire est ${bold(p.timezone)} ; il y est ${p.time}.`,
    unknown: (p) =>
      fmt`Je ne connais pas le fuseau « ${p.timezone} ». Écrivez-le comme ${code('Europe/Paris')} ou ${code('America/Montreal')}.`,
  },
  rich: {
    /** Markdown. */
    sample:
      'Certaines applications Telegram affichent de vrais tableaux, des cases à cocher et des formules ; d’autres n’affichent pas du tout ces messages.\n\n| Jour | Météo |\n|---|---|\n| Samedi | pluie |\n| Dimanche | soleil |\n\n- [x] pain\n- [ ] lait\n\nVoyez-vous un tableau avec des lignes autour des cases, et deux cases à cocher, dans toutes vos applications ?',
    auto: 'Les réponses sont enrichies là où elles montrent plus que du texte : tableaux, cases à cocher, formules. /rich pour changer.',
    always: 'Toutes les réponses sont enrichies. /rich pour changer.',
    never: 'Les réponses sont du texte mis en forme. /rich pour changer.',
  },
  memory: {
    title: (p) => fmt`${bold(`Ce que ${p.agent} retient`)}`,
    empty: 'Rien encore. Dites-lui « retiens que … ».',
    askText: (p) =>
      fmt`${bold(`Que doit retenir ${p.agent} ?`)}\n\nRécrivez toute la mémoire. Cela remplace ce qui y est.`,
    saved: 'Enregistré. Cela compte au plus tard dès la prochaine conversation.',
    confirmForget: (p) =>
      fmt`${bold(`${p.agent} doit-il oublier tout ce qu’il retient ?`)}\n\nLes fichiers et la conversation restent.`,
    forgotten: 'Oublié.',
  },
  files: {
    title: (p) => fmt`${bold(`Fichiers de ${p.agent}`)} /${p.folder}`,
    empty: 'Ce dossier est vide.',
    more: (p) => `… et ${p.count} de plus`,
    sending: 'Le voici.',
    moved: 'Cette liste n’est plus à jour. Voici la nouvelle.',
  },
  schedule: {
    show: 'Montre-moi mes tâches planifiées et mes rappels.',
    add: (p) => `Planifie ceci, s’il te plaît : ${p.task}${p.timezone ? ` (mon fuseau horaire : ${p.timezone})` : ''}`,
  },
  export: {
    caption: (p) => fmt`${bold(p.agent)} : personnalité, mémoire, fichiers et conversation. Aucune clé à l’intérieur.`,
    coming: (p) => fmt`Emballage de ${bold(p.agent)} …`,
  },
  doctor: {
    title: (p) => fmt`${bold(`Examen de ${p.agent}`)}`,
    machineOk: '✅ Son ordinateur répond.',
    machineSilent: '❌ Son ordinateur ne répond pas. Réparer le réinstalle ; mémoire et fichiers restent.',
    created: '⏳ Il est encore en création.',
    failed: '❌ Son installation n’a pas marché. Réessayez.',
    modelOk: (p) => `✅ Modèle : ${p.model}.`,
    modelGone: (p) => `❌ Le modèle ${p.model} n’est plus proposé. Choisissez-en un autre.`,
    budgetOk: (p) => `✅ Messages restants aujourd’hui : ${p.left}.`,
    budgetOwnKey: '✅ Votre propre clé paie ; il n’y a pas de limite quotidienne.',
    budgetUsed: (p) => `❌ Les messages du jour sont épuisés. De nouveaux dans ${p.left}.`,
    busy: '⏳ Il prépare une réponse. /stop l’arrête.',
    lastError: (p) => `Dernier problème : ${p.error}`,
  },
  admin: {
    dashboard: (p) =>
      fmt`${bold('Tableau de bord')}\n\nPersonnes : ${p.users}\nAgents : ${p.agents}\nMessages aujourd’hui : ${p.messages}\nMachines : ${p.machines}`,
    pool: (p) =>
      fmt`${bold('Réserve')}\n\nMachines : ${p.machines}\nGardées prêtes : ${p.min} à ${p.max}, au plus ${n(p.hours, 'heure', 'heures')}`,
    today: (p) =>
      fmt`${bold('Aujourd’hui')}\n\nTours : ${p.turns}, échoués : ${p.failed}\nLa moitié en ${p.halfWithin} s, 95 % en ${p.mostWithin} s\nTokens : ${p.tokens}\nAttentes imposées par Telegram : ${p.floods}\nPeut-être pas arrivés : ${p.unknown}`,
    none: 'aucune',
  },
  errors: {
    agent_unreachable: 'L’ordinateur de l’agent ne répond pas. Réessayez dans une minute, ou voyez /doctor.',
    agent_not_ready: 'Cet agent n’a pas encore d’ordinateur. Voir /list.',
    agent_refused: 'L’agent n’a pas pu le faire. Réessayez dans une minute.',
  },
  menu: {
    create: 'Créer un agent',
    list: 'Vos agents',
    manage: 'Quitter cet agent',
    stop: 'Arrêter la réponse',
    new: 'Nouvelle conversation',
    status: 'Comment va votre agent',
    share: 'Laisser d’autres lui parler',
    account: 'Limites et réglages',
    help: 'Toutes les commandes',
  },
  profile: {
    shortDescription: 'Votre agent IA, avec son propre ordinateur. /start en crée un en une minute.',
    description:
      'Je crée des agents IA personnels.\n\nLe vôtre a son propre ordinateur : il utilise des outils, garde des fichiers, retient ce que vous lui dites, travaille à heures fixes et se partage par un lien.\n\nAppuyez sur Démarrer, donnez-lui un nom et parlez-lui ici.',
  },
}
