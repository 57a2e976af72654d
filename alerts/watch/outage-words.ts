import type { Missed, OperatorOutage } from '../../db/watch.js'
import type { Headline } from '../model.js'

/** Where it stops, as an operator would begin to look. */
const whyWords: Record<Missed, Headline> = {
  'no connection': {
    zh: '连不上消息服务（MQTT），或登录被拒绝',
    en: 'the broker could not be reached or refused the login',
  },
  'not acknowledged': {
    zh: '报警已发出，但没有得到入库确认',
    en: 'the alarm was sent and not acknowledged: it may not have been stored',
  },
  'no page': {
    zh: '报警已入库，但通知 10 秒内没有送达',
    en: 'the alarm was stored, but its page did not arrive within 10 s',
  },
}
const listedMax = 20

/** What an operator is told when test pages begin to stay away, or are back. Times are said by the clock of `timeZone`. */
export function outageWords(
  outage: Pick<OperatorOutage, 'since' | 'failing' | 'communities'>,
  { now, timeZone }: { now: Date; timeZone: string },
): { text: Headline; lines: Headline[] } {
  const { failing, communities } = outage
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' })
  const since = clock.format(outage.since)
  const [first] = failing
  if (!first)
    return {
      text: {
        zh: `守望自检已恢复：所有社区的测试报警重新在 10 秒内送达（${since} 起中断，${clock.format(now)} 恢复）。`,
        en: `Self-check: well again. Test alarms of all communities arrive within 10 s (failing since ${since}, well since ${clock.format(now)}).`,
      },
      lines: [],
    }
  const one = failing.length === 1 && communities === 1
  return {
    text: {
      zh: `守望自检失败：${one ? `${first.name}的` : `${communities} 个社区中有 ${failing.length} 个的`}测试报警没有收到通知：${whyWords[first.missed].zh}。真实报警可能同样无法送达，请立即检查。`,
      en: `Self-check failed: the test alarm of ${one ? first.name : `${failing.length} of ${communities} communities`} did not come back: ${whyWords[first.missed].en}. Real alarms may not get through either. Please look now.`,
    },
    lines: failing.slice(0, listedMax).map(({ name, since, missed }) => ({
      zh: `${name}：${clock.format(since)} 起，${whyWords[missed].zh}`,
      en: `${name}: since ${clock.format(since)}, ${whyWords[missed].en}`,
    })),
  }
}

/** What operators are told directly when the database does not answer the alerts role. */
export const databaseAwayWords = (seconds: number): Headline => ({
  zh: `通知服务已 ${seconds} 秒无法访问数据库：期间不发送通知，不升级预警。紧急报警由网关服务直接通知（若其仍能运行）。请立即检查数据库。`,
  en: `The alerts role has had no answer from the database for ${seconds} s: it sends no pages and takes no steps meanwhile; the edge pages emergencies by itself where it can. Please look at the database now.`,
})
export const databaseBackWords: Headline = {
  zh: '通知服务重新连上了数据库，恢复发送通知。',
  en: 'The alerts role reaches the database again and sends pages.',
}
