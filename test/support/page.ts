import type { Page } from '../../alerts/channels/channel.js'

/** An invented page, with what a test wants to be different. */
export function samplePage(changes: Partial<Page> = {}): Page {
  return {
    pageId: '6f1d6f0a-5a1c-4c52-9a0c-0d1f6b1b9a01',
    alertId: '41',
    severity: 'emergency',
    kind: 'button',
    resident: { id: 'demo-r01', name: '示例·王奶奶', address: '示例路 1 号 101 室' },
    headline: {
      zh: '14:03 卧室的呼叫按钮被按下。',
      en: 'The call button in the bedroom was pressed at 14:03.',
    },
    openedAt: new Date('2026-03-10T06:03:02Z'),
    observedAt: new Date('2026-03-10T06:03:00Z'),
    step: 1,
    round: 0,
    url: 'https://shouwang.example/a/demo-token',
    doorCode: '1357#',
    keyHolder: '示例·李师傅（门卫室）',
    healthNote: '听力不好，敲门要用力',
    phone: '000-0000-0001',
    timeZone: 'Asia/Shanghai',
    language: 'zh',
    ...changes,
  }
}
