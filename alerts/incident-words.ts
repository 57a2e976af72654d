import type { IncidentKind } from './incidents.js'
import type { EpochMs, Headline } from './model.js'
import { oneLine } from './page-message.js'
import { timeOf } from './rules/say.js'

export type Told = {
  community: string
  place: string
  homes: number
  homesKnown: number
  firstAt: EpochMs
  lastAt: EpochMs
  timeZone: string
}

/** "示例社区: 38 of 120 homes fell silent between 14:02 and 14:04: most likely the mains or a network. …" */
function offlineOpened(p: Told, now: EpochMs): Headline {
  const from = timeOf(p.firstAt, now, p.timeZone)
  const to = timeOf(p.lastAt, now, p.timeZone)
  const where = whereOf(p)
  const same = from.en === to.en
  return {
    zh:
      `${where}：${same ? `${from.zh} 前后` : `${from.zh} 至 ${to.zh} 之间`}有 ${p.homes} 户（共 ${p.homesKnown} 户）失去联系，` +
      '很可能是停电或网络中断。恢复之前，这些家里的用水用电、呼叫按钮和报警器都收不到。',
    en:
      `${where}: ${p.homes} of ${p.homesKnown} homes fell silent ${same ? `at ${from.en}` : `between ${from.en} and ${to.en}`}: ` +
      'most likely a mains or network failure. Until they are back nothing is heard from them, not even a call button or an alarm.',
  }
}

/** "示例社区: 31 of the 38 homes that fell silent at 14:02 are back; 7 are still silent." */
function offlineClosed(p: Told & { silent: number }, now: EpochMs): Headline {
  const from = timeOf(p.firstAt, now, p.timeZone)
  const where = whereOf(p)
  const back = p.homes - p.silent
  return {
    zh: `${where}：${from.zh} 失去联系的 ${p.homes} 户中，${p.silent === 0 ? '全部已恢复。' : `${back} 户已恢复，仍有 ${p.silent} 户没有信号。`}`,
    en: `${where}: ${p.silent === 0 ? `all ${p.homes}` : `${back} of the ${p.homes}`} homes that fell silent at ${from.en} are back${p.silent === 0 ? '.' : `; ${p.silent} still silent.`}`,
  }
}

const whereOf = ({ place, community }: Told) => oneLine(place === '' ? community : `${community} ${place}`, 120)

/** "示例社区 示例路: 29 of 30 homes have used no water since 09:12: the water may be cut off. …" */
export function incidentOpened(kind: IncidentKind, told: Told, now: EpochMs): Headline {
  if (kind === 'offline') return offlineOpened(told, now)
  const where = whereOf(told)
  const at = timeOf(told.lastAt, now, told.timeZone)
  const { homes, homesKnown } = told
  return kind === 'no water'
    ? {
        zh: `${where}：${at.zh} 以来，${homesKnown} 户中有 ${homes} 户同时没有用水，可能停水。这些住户“没有用水”的预警最多暂缓 2 小时再通知；按钮和报警器不受影响。`,
        en: `${where}: ${homes} of ${homesKnown} homes have used no water since ${at.en}: the water may be cut off. Alerts about their silence wait for 2 h at most; call buttons and alarms do not wait.`,
      }
    : {
        zh: `${where}：${at.zh} 以来，${homesKnown} 户中有 ${homes} 户的电表同时停走，可能停电。这些住户“没有用电”的预警最多暂缓 2 小时再通知；网关有电池时，按钮和报警器不受影响。`,
        en: `${where}: the electricity meters of ${homes} of ${homesKnown} homes have stood still since ${at.en}: the mains may be off. Alerts about their silence wait for 2 h at most; call buttons and alarms do not wait while the gateways' batteries last.`,
      }
}

/** "示例社区 示例路: 27 of the 29 homes that had no water since 09:12 use it again; 2 do not yet." */
export function incidentClosed(kind: IncidentKind, told: Told & { silent: number }, now: EpochMs): Headline {
  if (kind === 'offline') return offlineClosed(told, now)
  const where = whereOf(told)
  const at = timeOf(told.lastAt, now, told.timeZone)
  const { homes, silent } = told
  const back = homes - silent
  const what =
    kind === 'no water'
      ? { zh: '没有用水', again: '用水', en: 'had no water' }
      : { zh: '没有用电', again: '用电', en: 'had no electricity' }
  return {
    zh: `${where}：${at.zh} 以来${what.zh}的 ${homes} 户中，${silent === 0 ? `全部已重新${what.again}。` : `${back} 户已重新${what.again}，还有 ${silent} 户没有。`}`,
    en: `${where}: ${silent === 0 ? `all ${homes}` : `${back} of the ${homes}`} homes that ${what.en} since ${at.en} use it again${silent === 0 ? '.' : `; ${silent} do not yet.`}`,
  }
}
