import { readFile, rename, writeFile } from 'node:fs/promises'

/**
 * What stands beside the embedded database about who runs it. port: where it serves; none while it starts or ends.
 */
export type Noted = { pid: number; parentPid: number; password: string; port?: number }

/** Who runs the database, as far as anybody said. */
export async function readNote(file: string): Promise<Noted | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Noted
  } catch {
    return undefined // no note: nobody is running here
  }
}

/** Replaces the note whole: half a note would be none, and a second database would start on the same files. */
export async function writeNote(file: string, noted: Noted): Promise<void> {
  const next = `${file}.${process.pid}`
  await writeFile(next, JSON.stringify(noted), { mode: 0o600 })
  await rename(next, file)
}
