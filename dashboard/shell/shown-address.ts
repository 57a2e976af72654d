/** An address as it may stand on a page. Of a web address its end alone, enough to tell two apart: who has it whole can often send to it. Pure. */
export function shownAddress(kind: string, address: string): string {
  if (kind === 'email' || !/^https?:\/\//.test(address) || !URL.canParse(address)) return address
  return `${new URL(address).host}/…${address.slice(-4)}`
}
