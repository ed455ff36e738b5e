import { describe, expect, test } from 'vitest'
import { isPublicAddress } from './public-address.ts'

const INSIDE = [
  '0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '100.100.100.200', '127.0.0.1', '127.255.255.254', '168.63.129.16',
  '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.0.192', '192.0.2.1', '192.88.99.1', '192.168.1.1',
  '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255',
  '::', '::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:7f00:1', '::127.0.0.1', '::8.8.8.8', '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::a00:1', '100::1', '2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2',
  '2001:2::1', '2001:10::1', '2001:20::1', '2001:db8::1', '2002:7f00:1::', '2002:808:808::1', '3fff::1', '5f00::1',
  '4000::1', 'fc00::1', 'fd00:ec2::254', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', '2606:4700::1%lo',
  '', 'localhost', 'example.org', '1.2.3', '8.8.8.8 ', '8.8.8.8/32',
] // biome-ignore format: a table
const PUBLIC = [
  '8.8.8.8',
  '1.1.1.1',
  '100.63.255.255',
  '172.32.0.1',
  '192.0.1.1',
  '2606:4700:4700::1111',
  '2a00:1450:4001::1',
]

describe('isPublicAddress', () => {
  test.each(INSIDE)('refuses %j', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  test.each(PUBLIC)('takes %s', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  test('refuses this machine by its public address, however it is written', () => {
    expect(isPublicAddress('8.8.8.8', ['127.0.0.1', '8.8.8.8'])).toBe(false)
    expect(isPublicAddress('2a00:1450:4001:0:0::1', ['2a00:1450:4001::1'])).toBe(false)
    expect(isPublicAddress('8.8.4.4', ['8.8.8.8', 'fe80::1%eth0'])).toBe(true)
  })
})
