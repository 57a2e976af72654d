import type { IncidentKind } from '../../alerts/incidents.js'
import type { Language } from '../../alerts/model.js'
import { defineText, plural } from './text.js'
import { incidentText } from './text-incident.js'

/** Texts about homes that stopped using water together. */
const noWater = defineText({
  en: {
    title: 'Water cut, probably',
    silent: (silent: number, homes: number) =>
      silent === homes
        ? `${plural(homes, 'home', 'homes')} stopped using water together: the water may be cut off.`
        : `${silent} of ${homes} homes that stopped using water together still use none: the water may be cut off.`,
    noAlertBut: (homes: number) =>
      `No alert needs you, but ${plural(homes, 'home is', 'homes are')} probably without water.`,
    over: (homes: number, silent: number) =>
      silent === 0
        ? `Over: all ${homes} homes use water again.`
        : `Over: ${homes - silent} of ${homes} homes use water again, ${silent} do not yet.`,
    known: (homes: number) =>
      `${plural(homes, 'home has a water meter', 'homes have a water meter')} that is heard there`,
    fell: 'Last used water',
    means:
      'Their meters report, and none runs. Alerts that these homes are silent for longer than usual wait until the water is back, 2 h at most. Call buttons, alarms and a silence of 24 h never wait, and who was silent long before the others is paged for as usual.',
    stillSilent: 'last used water',
    back: 'used water again',
    gateways: 'Gateways of these homes',
    event: {
      opened: (silent: number) =>
        `${plural(silent, 'home was', 'homes were')} found to have stopped using water together.`,
      grew: (homes: number) => `More homes belong to it: ${homes} in all.`,
      closed: (back: number, homes: number) => `${back} of ${homes} homes used water again: it was over.`,
    },
  },
  zh: {
    title: '可能停水',
    silent: (silent, homes) =>
      silent === homes
        ? `${homes} 户同时没有用水：可能停水。`
        : `同时没有用水的 ${homes} 户中，还有 ${silent} 户没有恢复用水：可能停水。`,
    noAlertBut: (homes) => `没有需要处理的预警，但有 ${homes} 户可能停水。`,
    over: (homes, silent) =>
      silent === 0
        ? `已结束：${homes} 户都恢复了用水。`
        : `已结束：${homes} 户中 ${homes - silent} 户恢复用水，${silent} 户还没有。`,
    known: (homes) => `该范围内共 ${homes} 户的水表有数据`,
    fell: '最后用水',
    means:
      '水表都在上报，只是都没有走字。这些住户“安静过久”的预警会等到来水再看，最多暂缓 2 小时。呼叫按钮、报警器和满 24 小时的预警从不暂缓；早在停水之前就安静的住户，照常通知。',
    stillSilent: '最后用水',
    back: '恢复用水',
    gateways: '这些住户的网关',
    event: {
      opened: (silent) => `发现 ${silent} 户同时没有用水。`,
      grew: (homes) => `涉及的住户增加到 ${homes} 户。`,
      closed: (back, homes) => `${homes} 户中 ${back} 户恢复用水，本次停水结束。`,
    },
  },
})

/** Texts about homes whose electricity meters stopped together while their gateways go on. */
const noPower = defineText({
  en: {
    title: 'Power cut, probably',
    silent: (silent: number, homes: number) =>
      silent === homes
        ? `${plural(homes, 'electricity meter', 'electricity meters')} stopped together: the mains may be off.`
        : `${silent} of ${homes} electricity meters that stopped together still stand: the mains may be off.`,
    noAlertBut: (homes: number) =>
      `No alert needs you, but ${plural(homes, 'home is', 'homes are')} probably without electricity.`,
    over: (homes: number, silent: number) =>
      silent === 0
        ? `Over: all ${homes} homes have electricity again.`
        : `Over: ${homes - silent} of ${homes} homes have electricity again, ${silent} do not yet.`,
    known: (homes: number) =>
      `${plural(homes, 'home has an electricity meter', 'homes have an electricity meter')} that is heard there`,
    fell: 'Meters stopped',
    means:
      'Their gateways run on batteries: call buttons and alarms are heard as long as those last. Call or visit those who are at risk without electricity. Alerts that these homes are silent for longer than usual wait until the mains are back, 2 h at most; who was silent long before is paged for as usual.',
    stillSilent: 'meter stopped',
    back: 'electricity again',
    gateways: 'Gateways of these homes',
    event: {
      opened: (silent: number) => `${plural(silent, 'meter was', 'meters were')} found to have stopped together.`,
      grew: (homes: number) => `More homes belong to it: ${homes} in all.`,
      closed: (back: number, homes: number) => `${back} of ${homes} homes had electricity again: it was over.`,
    },
  },
  zh: {
    title: '可能停电',
    silent: (silent, homes) =>
      silent === homes
        ? `${homes} 户的电表同时停走：可能停电。`
        : `电表同时停走的 ${homes} 户中，还有 ${silent} 户没有恢复：可能停电。`,
    noAlertBut: (homes) => `没有需要处理的预警，但有 ${homes} 户可能停电。`,
    over: (homes, silent) =>
      silent === 0
        ? `已结束：${homes} 户都恢复了供电。`
        : `已结束：${homes} 户中 ${homes - silent} 户恢复供电，${silent} 户还没有。`,
    known: (homes) => `该范围内共 ${homes} 户的电表有数据`,
    fell: '电表停走',
    means:
      '网关靠电池还在工作，电池用完之前，呼叫按钮和报警器都收得到。家中有人靠用电设备维持健康的，请打电话或上门看看。这些住户“安静过久”的预警会等到来电再看，最多暂缓 2 小时；早在停电之前就安静的住户，照常通知。',
    stillSilent: '电表停走',
    back: '恢复供电',
    gateways: '这些住户的网关',
    event: {
      opened: (silent) => `发现 ${silent} 户的电表同时停走。`,
      grew: (homes) => `涉及的住户增加到 ${homes} 户。`,
      closed: (back, homes) => `${homes} 户中 ${back} 户恢复供电，本次停电结束。`,
    },
  },
})

/** Texts about an incident of this kind. */
export function incidentTextOf(kind: IncidentKind, language: Language): ReturnType<typeof incidentText> {
  const common = incidentText(language)
  if (kind === 'offline') return common
  return { ...common, ...(kind === 'no water' ? noWater : noPower)(language) }
}

/** Texts about alerts that wait for an incident. */
export const heldText = defineText({
  en: {
    heading: 'Alerts that wait',
    because: {
      'no water': 'many homes around it have used no water since the same time',
      'no power': 'the electricity meters of many homes around it stopped at the same time',
      offline: 'many homes around it fell silent at the same time',
    },
    /** The first line of the console where nothing else is open. */
    only: (count: number) =>
      `No alert needs you yet; ${plural(count, 'alert waits', 'alerts wait')} because of the homes around.`,
    stage: (until: string) => `Nobody told yet: it waits until ${until}`,
    /** Times: "14:06". */
    sentence: (since: string, because: string, until: string) =>
      `Nobody has been told yet: it waits since ${since} because ${because}. It is paged at ${until} unless the home is in use again before.`,
    incident: 'See what happened there',
    also: (count: number) => `${plural(count, 'alert waits', 'alerts wait')} because of it, 2 h at most.`,
    intro:
      'Nobody is told of these while the homes around them are silent too, for 2 h at most. Whoever wants to may take one now. Emergencies never wait.',
    held: (until: string) =>
      `It waits until ${until}, because of many homes around it that fell silent at the same time.`,
    shortened: (until: string) => `The homes around it are in use again: it waits until ${until} and no longer.`,
  },
  zh: {
    heading: '暂缓通知的预警',
    because: {
      'no water': '周围多户同时没有用水，可能停水',
      'no power': '周围多户的电表同时停走，可能停电',
      offline: '周围多户同时失去联系，可能停电或断网',
    },
    only: (count) => `暂时没有需要处理的预警，${count} 条暂缓通知。`,
    stage: (until) => `还没有通知：暂缓到 ${until}`,
    sentence: (since, because, until) =>
      `还没有通知任何人：${because}，自 ${since} 起暂缓。到 ${until} 家里仍无动静，就按预警逐级通知。`,
    incident: '查看周围情况',
    also: (count) => `有 ${count} 条预警因此暂缓通知，最多 2 小时。`,
    intro: '周围多户都没有动静，这些预警先不通知，最多等 2 小时。想先去看看的，可以直接接手。紧急预警从不暂缓。',
    held: (until) => `周围多户同时安静下来，暂缓到 ${until} 再通知。`,
    shortened: (until) => `周围住户已经恢复，只等到 ${until}。`,
  },
})
