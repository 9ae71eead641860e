/** The ports of the test program that runs in the guest, one small service each. */
export const ports = {
  echoStream: 2001,
  echoSocket: 2002,
  sink: 2003,
  source: 2004,
  caller: 2005,
  halfClose: 2006,
  http2: 2007,
  loopback: 2008,
  powerOff: 2009,
  /** On the host, where the guest dials to. */
  host: 3001,
  /** On neither side does anybody listen here. */
  nobody: 3999,
} as const;
