import type { CommandRow } from '../../db/command-views.js'
import type { Here } from '../shell/here.js'
import { commandText } from '../shell/text-commands.js'
import { When } from '../shell/times.js'
import { commandSentence, deviceName, stateSentence } from './commands-words.js'

/** One thing that was asked of a home, who asked, and what came of it. */
export function CommandLine({ here, command }: { here: Here; command: CommandRow }) {
  const { language, now } = here
  const t = commandText(language)
  const open = command.state === 'waiting' || command.state === 'pending'
  const wrong = command.state === 'failed' || command.state === 'expired'
  return (
    <li class={wrong ? 'line line-failed' : 'line'} id={`command-${command.commandId}`}>
      <strong>{commandSentence(command, language)}</strong>
      <p>{stateSentence(command, here)}</p>
      <span class="sub">
        {deviceName({ kind: command.deviceKind, room: command.room }, language)}
        {' · '}
        {t.asked(command.askedBy?.name ?? t.shouwang)}
        {command.confirmedBy && ` · ${t.confirmed(command.confirmedBy)}`}
        {' · '}
        <When at={command.askedAt} now={now} timeZone={command.timeZone} language={language} />
      </span>
      {open && (
        <p>
          <a
            class="button"
            href={`/commands/${command.commandId}`}
            aria-label={`${t.open}: ${commandSentence(command, language)}`}
          >
            {t.open}
          </a>
        </p>
      )}
    </li>
  )
}

/** For the console: what a colleague has asked for and somebody else has to look at. */
export function WaitingCommands({ here, commands }: { here: Here; commands: readonly CommandRow[] }) {
  const { language, now } = here
  const t = commandText(language)
  if (commands.length === 0) return null
  return (
    <section aria-labelledby="waiting-commands">
      <h2 id="waiting-commands">{t.waitingHeading}</h2>
      <ul class="cards">
        {commands.map((command) => (
          <li key={command.commandId} id={`waiting-${command.commandId}`} class="card">
            <h3>
              <a href={`/commands/${command.commandId}`}>{commandSentence(command, language)}</a>
            </h3>
            <p class="card-who">
              <strong>{command.residentName}</strong>
              <span>{command.address}</span>
            </p>
            <p>
              {deviceName({ kind: command.deviceKind, room: command.room }, language)}
              {' · '}
              {t.asked(command.askedBy?.name ?? t.shouwang)}
              {' · '}
              <When at={command.askedAt} now={now} timeZone={command.timeZone} language={language} />
            </p>
            <div class="card-foot">
              <a class="button" href={`/commands/${command.commandId}`}>
                {t.look}
              </a>
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}
