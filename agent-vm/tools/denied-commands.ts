/**
 * Commands that are refused before they reach a shell: a second line of defence that catches a model's mistakes and says why.
 * It is no barrier against intent (a shell has a thousand ways to say the same); the barrier is the tools' own user.
 */

/**
 * What is refused, as the model reads it, and the shape it is known by. Whatever may repeat is bounded: commands carry whole files, and
 * an expression that looks from each word to the end takes half a minute for one.
 */
const DENIED: readonly (readonly [string, RegExp])[] = [
  [
    'deleting the whole file system or home',
    /\brm\s+(?:[^\s;&|]+\s+){0,99}["']?(?:\/|\/\*|~\/?|\$\{?HOME\}?\/?|\/(?:bin|boot|dev|etc|home|lib\w*|opt|proc|root|sbin|srv|sys|usr|var)\/?\*?)["']?(?=\s|$|[;&|)])/,
  ],
  ['rm --no-preserve-root', /--no-preserve-root\b/],
  ['formatting a disk', program('mkfs(?:\\.\\w+)?|mke2fs|mkswap|wipefs|fdisk|sfdisk|parted')],
  [
    'writing to a disk device',
    /\bof=["']?\/dev\/(?!null\b|zero\b|full\b|stdout\b|stderr\b|fd\/)|>\s*["']?\/dev\/(?:sd|hd|vd|xvd|nvme|mmcblk|mem|kmem|disk|loop|dm-)/,
  ],
  [
    'a fork bomb',
    /(?<!\w)(\w{1,64}|[:.])\s{0,9}\(\)\s{0,9}\{[^}]{0,200}\1\s{0,9}\|\s{0,9}\1\s{0,9}&|while\s+(?:true|:)\s*;\s*do\s+(?:bash|sh)\b[^;]{0,200}&\s{0,9};?\s{0,9}done/,
  ],
  ['shutting down the machine', program('shutdown|reboot|halt|poweroff|telinit')],
  [
    'shutting down the machine',
    program('init\\s+[06]|systemctl\\s+(?:-\\S{1,99}\\s+){0,9}(?:reboot|poweroff|halt|kexec|rescue|emergency)'),
  ],
  ['stopping or changing the agent’s own service', /\b(?:systemctl|service)\b[^\n;|&]{0,200}\bbaal-agent\b/],
  [
    'reading the environment or memory of other processes',
    /\/proc\/(?:\d+|\*|\[0-9\]\S{0,20}|\$\{?\w{1,64}\}?|\$\([^)]{0,99}\)|1|\?)\/(?:environ|mem|maps|fd)\b|\bps\s+(?:\S{1,99}\s+){0,9}(?:-?[a-z]{0,9}e[a-z]{0,9}ww|auxe|eww)\b/,
  ],
  [
    'reading the agent’s secrets or database',
    /\/etc\/baal\/secrets|\/run\/credentials\b|\$\{?CREDENTIALS_DIRECTORY|\/var\/lib\/baal\b|\/etc\/(?:g?shadow|sudoers)\b/,
  ],
  ['asking the cloud’s metadata service', /\b169\.254\.169\.254\b|\bmetadata\.google\.internal\b|\[?fd00:ec2::254\]?/],
  ['loading kernel modules', program('insmod|rmmod|modprobe')],
  ['changing system settings', /\bsysctl\s+(?:-w\b|\S+=)|>\s*\/proc\/sys/],
  ['changing the firewall', program('iptables|ip6tables|nft|ufw')],
  ['changing users or passwords', program('passwd|useradd|usermod|userdel|visudo|chpasswd')],
  [
    'opening permissions of system folders',
    /\bch(?:mod|own)\s+(?:-\S{1,99}\s+){0,9}\S{1,99}\s+["']?\/(?:etc|usr|bin|sbin|lib|boot|root|var|dev)?\/?\*?["']?(?=\s|$|[;&|)])/,
  ],
  ['killing every process', /\bkill(?:all5)?\s+(?:-\w{1,20}\s+){0,9}(?:--\s+)?-1\b(?!\s+\d)/],
]

/** @returns what is refused, or `undefined` */
export function findDenied(command: string): string | undefined {
  // A backslash at a line's end joins lines, quotes inside a word change nothing for the shell.
  const text = command.replace(/\\\n/g, ' ')
  return DENIED.find(([, shape]) => shape.test(text))?.[0]
}

/** A program where a command can begin: the word in a sentence or a file name is none. */
function program(names: string): RegExp {
  return new RegExp(
    String.raw`(?:^|[\n;&|(\x60{]|\b(?:sudo|exec|nohup|xargs|then|do|else|time|env)\s)\s{0,99}(?:-\S{1,99}\s+){0,9}(?:/\S{0,200}/)?(?:${names})(?=\s|$|[;&|)\x60])`,
  )
}
