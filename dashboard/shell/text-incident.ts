import { defineText, plural } from './text.js'

/** Texts about many homes that fell silent together. */
export const incidentText = defineText({
  en: {
    heading: 'Homes that fell silent together',
    headings: 'Many homes at once',
    title: 'Mains or network failure',
    /** The first line of the console where no alert is open. */
    noAlertBut: (homes: number) => `No open alert, but ${plural(homes, 'home is', 'homes are')} out of reach.`,
    silent: (silent: number, homes: number) =>
      silent === homes
        ? `${plural(homes, 'home', 'homes')} fell silent together: most likely a mains or network failure.`
        : `${silent} of ${homes} homes that fell silent together are still silent: most likely a mains or network failure.`,
    over: (homes: number, silent: number) =>
      silent === 0
        ? `Over: all ${homes} homes are heard again.`
        : `Over: ${homes - silent} of ${homes} homes are heard again, ${silent} are not yet.`,
    where: 'Where',
    known: (homes: number) => `${plural(homes, 'home has a gateway', 'homes have a gateway')} there`,
    fell: 'Fell silent',
    between: (from: string, to: string) => `between ${from} and ${to}`,
    at: (time: string) => `at ${time}`,
    means:
      'Nothing is heard from these homes, not even a call button or an alarm. Silence there is not counted as “not used”. Call or visit those who are at risk without electricity.',
    homes: 'The homes',
    gateways: 'Their gateways',
    more: (count: number) => `And ${plural(count, 'more home', 'more homes')}: see the whole list`,
    unlisted: (count: number) => `${count} more are not listed here.`,
    page: 'The whole list and its history',
    stillSilent: 'silent since',
    back: 'back since',
    history: 'History',
    event: {
      opened: (silent: number) => `${plural(silent, 'home was', 'homes were')} found to have fallen silent together.`,
      grew: (homes: number) => `More homes fell silent: ${homes} in all.`,
      closed: (back: number, homes: number) => `${back} of ${homes} homes were heard again: it was over.`,
    },
    told: 'Supervisors and operators were told, once.',
  },
  zh: {
    heading: '同时失联的住户',
    headings: '多户同时出现的情况',
    title: '停电或网络中断',
    noAlertBut: (homes) => `没有未处理的预警，但有 ${homes} 户联系不上。`,
    silent: (silent, homes) =>
      silent === homes
        ? `${homes} 户同时失去联系，很可能是停电或网络中断。`
        : `同时失联的 ${homes} 户中还有 ${silent} 户没有信号，很可能是停电或网络中断。`,
    over: (homes, silent) =>
      silent === 0
        ? `已结束：${homes} 户全部恢复。`
        : `已结束：${homes} 户中 ${homes - silent} 户恢复，${silent} 户仍无信号。`,
    where: '范围',
    known: (homes) => `该范围内共 ${homes} 户装有网关`,
    fell: '失联时间',
    between: (from, to) => `${from} 至 ${to}`,
    at: (time) => `${time} 前后`,
    means:
      '这些家里的按钮和报警器现在都收不到，没有数据也不会算作“没有用水用电”。家中有人靠用电设备维持健康的，请打电话或上门看看。',
    homes: '住户名单',
    gateways: '网关名单',
    more: (count) => `另有 ${count} 户，查看完整名单`,
    unlisted: (count) => `另有 ${count} 户未列出。`,
    page: '完整名单和经过',
    stillSilent: '失联于',
    back: '恢复于',
    history: '经过',
    event: {
      opened: (silent) => `发现 ${silent} 户同时失去联系。`,
      grew: (homes) => `失联的住户增加到 ${homes} 户。`,
      closed: (back, homes) => `${homes} 户中 ${back} 户恢复，本次中断结束。`,
    },
    told: '已通知主管和运维，各一次。',
  },
})
