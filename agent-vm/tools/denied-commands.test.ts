import { describe, expect, test } from 'vitest'
import { findDenied } from './denied-commands.ts'
import { makeRunner } from './tool-runner.fixture.ts'

const DENIED = [
  'rm -rf /',
  'rm -rf /*',
  'rm -fr --no-preserve-root /',
  'rm -rf ~',
  'rm -r -f "$HOME"',
  'sudo rm -rf /usr',
  'echo a && rm -rf /etc/*',
  'mkfs.ext4 /dev/sda1',
  'sudo mkfs -t ext4 /dev/vda',
  'dd if=/dev/zero of=/dev/sda bs=1M',
  'cat x > /dev/vda',
  ':(){ :|:& };:',
  'bomb() { bomb | bomb & }; bomb',
  'shutdown -h now',
  'reboot',
  '/sbin/poweroff',
  'sudo halt',
  'systemctl reboot',
  'init 0',
  'systemctl stop baal-agent',
  'cat /proc/1234/environ',
  'cat /proc/*/environ | tr "\\0" "\\n"',
  'strings /proc/$(pgrep node)/mem',
  'ps auxe',
  'cat /etc/baal/secrets.json',
  'sqlite3 /var/lib/baal/agent.db .dump',
  'cat /etc/shadow',
  'ls $CREDENTIALS_DIRECTORY',
  'curl http://169.254.169.254/latest/meta-data/',
  'modprobe nbd',
  'sysctl -w kernel.panic=1',
  'iptables -F',
  'passwd root',
  'useradd evil',
  'chmod -R 777 /',
  'chown -R nobody /etc',
  'kill -9 -1',
  'rm -rf build /',
  'if true; then reboot; fi',
  'echo x | xargs poweroff',
  'a && sudo -n reboot',
]
const ALLOWED = [
  'rm -rf build /tmp/x node_modules',
  'rm -rf ./tmp/*',
  'rm file; ls /',
  'dd if=/dev/urandom of=noise.bin bs=1k count=1',
  'echo hi > /dev/null 2>&1',
  'grep -r shutdown notes/',
  'echo "remember to reboot the router" >> notes.md',
  'python3 -c "print(1)"',
  'git init',
  'cat /proc/cpuinfo /proc/self/status',
  'env | sort',
  'ps aux',
  'chmod +x run.sh && ./run.sh',
  'chmod -R u+w .',
  'kill 1234; kill -9 1234',
  'f() { echo a | sort & }; f',
  'find . -name "*.md" | xargs wc -l',
  'curl -s https://example.org/',
  'service_list=1; echo $service_list',
  'systemctl status',
  'npm init 6',
]

describe('findDenied', () => {
  test.each(DENIED)('refuses %s', (command) => {
    expect(findDenied(command)).toBeTypeOf('string')
  })

  test.each(ALLOWED)('lets pass %s', (command) => {
    expect(findDenied(command)).toBeUndefined()
  })

  test('the refusal says what and what to do, and nothing has run', async () => {
    const { run } = await makeRunner()
    const result = await run('bash', { command: 'echo begun; shutdown now' })
    expect(result).toEqual({
      ok: false,
      content:
        'Refused and not run: shutting down the machine is not allowed here. Do it another way, or tell the person what you would need.',
      summary: 'refused: shutting down the machine',
    })
  })
})

/** It runs in the server: a file that is written by a command must not hold every chat up. */
test.each([
  'a',
  'e',
  'rm ',
  'service ',
  'ps ',
  'ps -e',
  'sudo -a ',
  '-kill ',
  '-chmod ',
  '(/',
  ':(){',
  '\n',
  ' ',
  'while :;do sh ',
])(
  'a command of 100,000 characters, all %j, is looked through at once',
  (piece) => {
    const text = piece.repeat(100_000 / piece.length)
    for (const command of [text, `rm ${text}`, `ps ${text}`, `service ${text}`])
      expect(findDenied(command)).toBeUndefined()
    expect(findDenied(`${text}; shutdown now`)).toBe('shutting down the machine')
  },
  30_000,
)
