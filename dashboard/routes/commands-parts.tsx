import { z } from 'zod'
import type { CommandRow } from '../../db/command-views.js'
import type { AskableDevice } from '../../db/commands.js'
import { expiryMsOf } from '../../ingest/commands/model.js'
import { promptCharsMax } from '../../ingest/contract.js'
import type { Here } from '../shell/here.js'
import { commandText, promptLanguages } from '../shell/text-commands.js'
import { CommandLine } from './commands-list.js'
import { deviceName } from './commands-words.js'

export type CommandProblem = 'cannot' | 'too many' | 'text' | 'same person' | 'refused'
/** What `?asked=` says of the last attempt. */
export const commandProblemOf = (query: unknown): CommandProblem | undefined =>
  z.object({ asked: z.enum(['cannot', 'too many', 'text']) }).safeParse(query).data?.asked

type Part = { here: Here; residentId: string }

const minuteMs = 60_000

/** What staff can ask of this home, and what came of what they asked. */
export function AskHome(
  p: Part & {
    devices: readonly AskableDevice[]
    commands: readonly CommandRow[]
    /** What the resident speaks. */
    speaks: string | null
    problem: CommandProblem | undefined
  },
) {
  const t = commandText(p.here.language)
  return (
    <section id="ask-home" aria-labelledby="ask" class="ask">
      <h2 id="ask">{t.ask}</h2>
      {p.problem && (
        <p class="message problem" role="alert">
          {t.problem[p.problem]}
        </p>
      )}
      {p.devices.length === 0 && <p>{t.nothing}</p>}
      <ul class="lines">
        {p.devices.map((device) => (
          <DeviceForms key={device.deviceNo} {...p} device={device} />
        ))}
      </ul>
      {(p.devices.length > 0 || p.commands.length > 0) && (
        <>
          <h3>{t.last}</h3>
          {p.commands.length === 0 && <p>{t.noneYet}</p>}
          <ul class="lines">
            {p.commands.map((command) => (
              <CommandLine key={command.commandId} here={p.here} command={command} />
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

function DeviceForms(p: Part & { device: AskableDevice; speaks: string | null }) {
  const { device, here } = p
  const { commands, deviceNo } = device
  const t = commandText(here.language)
  const simple = [
    { command: 'chime', label: t.chime },
    { command: 'led', on: 'true', label: t.ledOn },
    { command: 'led', on: 'false', label: t.ledOff },
    { command: 'self-test', label: t.selfTest },
  ] as const
  const offered = simple.filter(({ command }) => commands.includes(command))
  const name = deviceName(device, here.language)
  return (
    <li class="line" id={`ask-${deviceNo}`}>
      <strong>{name}</strong>
      {!device.gatewayOnline && <p class="sub">{t.offline(String(expiryMsOf(commands[0]!) / minuteMs))}</p>}
      {commands.includes('prompt') && <PromptForm {...p} />}
      {offered.length > 0 && (
        <div class="ask-buttons">
          {offered.map(({ command, label, ...more }) => (
            <form key={label} method="post" action={actionOf(p.residentId)}>
              <input type="hidden" name="device" value={deviceNo} />
              <input type="hidden" name="command" value={command} />
              {'on' in more && <input type="hidden" name="on" value={more.on} />}
              <button type="submit" aria-label={`${label}: ${name}`}>
                {label}
              </button>
            </form>
          ))}
        </div>
      )}
      {commands.includes('close valve') && (
        <details id={`valve-${deviceNo}`}>
          <summary>{t.valve}</summary>
          <p>{t.valveLead}</p>
          <form method="post" action={actionOf(p.residentId)}>
            <input type="hidden" name="device" value={deviceNo} />
            <input type="hidden" name="command" value="close valve" />
            <button class="wide" type="submit" aria-label={`${t.valveAsk}: ${name}`}>
              {t.valveAsk}
            </button>
          </form>
        </details>
      )}
    </li>
  )
}

function PromptForm({ here, residentId, device, speaks }: Part & { device: AskableDevice; speaks: string | null }) {
  const t = commandText(here.language)
  const { deviceNo } = device
  const spoken = promptLanguages.find((each) => each === speaks) ?? 'zh-CN'
  return (
    <details id={`say-${deviceNo}`}>
      <summary>{t.say}</summary>
      <form method="post" action={actionOf(residentId)} class="stack">
        <input type="hidden" name="device" value={deviceNo} />
        <input type="hidden" name="command" value="prompt" />
        <label>
          {t.sayWhat} <span class="sub">{t.sayHint}</span>
          <input
            id={`text-${deviceNo}`}
            name="text"
            required
            maxLength={promptCharsMax}
            list={`phrases-${deviceNo}`}
            autocomplete="off"
          />
        </label>
        <datalist id={`phrases-${deviceNo}`}>
          {Object.entries(t.phrases).map(([key, phrase]) => (
            <option key={key} value={phrase} />
          ))}
        </datalist>
        <label>
          {t.language}
          <select id={`language-${deviceNo}`} name="language">
            {promptLanguages.map((tag) => (
              <option key={tag} value={tag} selected={tag === spoken}>
                {t.languages[tag]}
              </option>
            ))}
          </select>
        </label>
        <button class="primary wide" type="submit">
          {t.sayIt}
        </button>
      </form>
    </details>
  )
}

const actionOf = (residentId: string) => `/residents/${encodeURIComponent(residentId)}/commands`
