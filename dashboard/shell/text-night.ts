import { defineText, plural } from './text.js'

/** What the bed told of last night. */
export const nightText = defineText({
  en: {
    title: 'Last night',
    inBed: (length: string, from: string, to: string) => `In bed for ${length}, from ${from} to ${to}`,
    inBedSince: (length: string, from: string) => `In bed for ${length}, since ${from}`,
    timesOut: (count: number) =>
      count === 0 ? ', without getting up' : `; got up ${plural(count, 'time', 'times')} in between`,
    nobody: 'Nobody was in bed.',
    notSeen: 'Nobody was seen in bed in the time that is known.',
    breaths: (range: string) => `breathing ${range} per min`,
    heart: (range: string) => `heart ${range} per min`,
    comma: ', ',
    end: '.',
    lastInBed: 'In bed when last heard, ',
    unknown: (length: string) => `Unknown for ${length}: the bed sensor sent nothing.`,
    nothingHeard: 'Unknown: the bed sensor sent nothing last night. ',
    heardBefore: 'Last heard ',
  },
  zh: {
    title: '昨夜作息',
    inBed: (length, from, to) => `在床 ${length}（${from} 至 ${to}）`,
    inBedSince: (length, from) => `在床 ${length}（${from} 起）`,
    timesOut: (count) => (count === 0 ? '，中间没有起床' : `，中间起床 ${count} 次`),
    nobody: '夜里没有人在床上。',
    notSeen: '在有数据的时间里，没有人在床上。',
    breaths: (range) => `呼吸每分钟 ${range} 次`,
    heart: (range) => `心率每分钟 ${range} 次`,
    comma: '，',
    end: '。',
    lastInBed: '最后一次收到数据时在床上：',
    unknown: (length) => `有 ${length} 情况不明：床垫传感器没有数据。`,
    nothingHeard: '情况不明：昨夜没有收到床垫传感器的数据。',
    heardBefore: '最近一次收到：',
  },
})
