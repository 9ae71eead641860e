/**
 * Takes a device number (`rdev` of `node:fs`) apart as Linux encodes it: 12 bits major from bit 8 on, 20 bits minor
 * around them.
 */
export function deviceNumber(rdev: number): { major: number; minor: number } {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}
