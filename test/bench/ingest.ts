import { openDatabase } from '../../db/pool.js'
import { createLog } from '../../kit/log.js'
import { createProcesses, freePort } from '../support/processes.js'
import { emptyTables } from './bench-database.js'
import { startDirect } from './direct.js'
import { startEdgeProcess } from './edge-process.js'
import { type Figure, figureOf, type Measure } from './figure.js'
import { startLoad } from './load.js'
import { startPipeline } from './pipeline.js'

const warmUpMs = 2_000
const measureMs = 5_000
/** What was the fastest of 500, 1,000 and 5,000. */
const directBatchRows = 5_000

type Shape = { name: string; clients: number; window: number; readingsPerPublish: number }
const shapes: Shape[] = [
  { name: 'single readings, 50 clients × 20', clients: 50, window: 20, readingsPerPublish: 1 },
  { name: 'single readings, 1,000 clients × 2', clients: 1_000, window: 2, readingsPerPublish: 1 },
  { name: 'single readings, 4,000 clients × 1', clients: 4_000, window: 1, readingsPerPublish: 1 },
  { name: 'arrays of 100, 50 clients × 4', clients: 50, window: 4, readingsPerPublish: 100 },
]

/** One of those that are compared: `readings` a second, and what there is to say about it. */
type Contender = { name: string; run(): Promise<{ perSecond: number; said: string }>; stop(): Promise<void> }

/**
 * Readings a second, each acknowledged: by our edge (committed first), by bare Aedes (nothing is done with them), and by
 * Mosquitto with a subscriber (counted to the commit); for arrays also what two connections insert with no broker.
 */
export async function measureIngest({ url, rounds, print }: Measure): Promise<Figure[]> {
  const processes = createProcesses()
  const db = openDatabase({ url, log: createLog({ role: 'bench', level: 'silent' }) })
  const pipeline = await startPipeline(url)
  try {
    const edge = await startEdgeProcess(processes, { url })
    const barePort = await freePort()
    await processes.start('test/bench/bare-aedes', { env: { PORT: String(barePort) } }).printed('listening')
    const figures: Figure[] = []
    if (!pipeline) print('Mosquitto is not installed: its figures are left out')
    for (const shape of shapes) {
      const contenders = [
        await loaded('edge', shape, edge.port),
        await loaded('bare Aedes', shape, barePort),
        ...(pipeline ? [await piped(shape, pipeline)] : []),
        ...(shape.readingsPerPublish > 1 ? [await direct(url)] : []),
      ]
      const results = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
      for (let round = 1; round <= rounds; round++)
        for (const contender of contenders) {
          await emptyTables(db)
          const { perSecond, said } = await contender.run()
          results.get(contender.name)!.push(perSecond)
          print(
            `${shape.name}, round ${round}: ${contender.name} ${Math.round(perSecond).toLocaleString('en-US')}/s ${said}`,
          )
        }
      for (const contender of contenders) await contender.stop()
      figures.push(...figuresOf(shape, results))
    }
    return figures
  } finally {
    await pipeline?.stop()
    await processes.stopAll()
    await db.end()
  }
}

async function loaded(name: string, shape: Shape, port: number): Promise<Contender> {
  const load = await startLoad({ ...shape, port })
  return {
    name,
    stop: load.stop,
    run: async () => {
      const { readings, seconds, p50Ms, p99Ms, cpuSeconds, unacknowledged } = await load.run({ warmUpMs, measureMs })
      const lost = unacknowledged > 0 ? `, ${unacknowledged} never acknowledged` : ''
      return {
        perSecond: readings / seconds,
        said: `(p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, load ${((100 * cpuSeconds) / seconds).toFixed(0)} % of a core${lost})`,
      }
    },
  }
}

/**
 * From the first publish to the last commit, the time after the load's end included, in which the subscriber has the
 * machine to itself: that is kinder to it than counting what it commits meanwhile.
 */
async function piped(
  shape: Shape,
  pipeline: NonNullable<Awaited<ReturnType<typeof startPipeline>>>,
): Promise<Contender> {
  const load = await startLoad({ ...shape, port: pipeline.port })
  return {
    name: 'Mosquitto + subscriber',
    stop: load.stop,
    run: async () => {
      await pipeline.begin()
      const { readingsInAll, startedAtMs } = await load.run({ warmUpMs, measureMs })
      const { committed, lastCommitAtMs } = await pipeline.settled(readingsInAll)
      const lost = committed < readingsInAll ? `, ${readingsInAll - committed} acknowledged and lost` : ''
      return {
        perSecond: committed / ((lastCommitAtMs - startedAtMs) / 1_000),
        said: `(${committed} of ${readingsInAll} acknowledged were committed after ${((lastCommitAtMs - startedAtMs) / 1_000).toFixed(1)} s${lost})`,
      }
    },
  }
}

async function direct(url: string): Promise<Contender> {
  const inserter = await startDirect(url)
  return {
    name: 'two connections, no broker',
    stop: inserter.stop,
    run: async () => ({
      perSecond: await inserter.run({ warmUpMs, measureMs, batchRows: directBatchRows }),
      said: `(batches of ${directBatchRows})`,
    }),
  }
}

function figuresOf(shape: Shape, results: Map<string, number[]>): Figure[] {
  const ours = results.get('edge')!
  const rates = [...results].map(([name, rounds]) => figureOf('ingest', `${shape.name}: ${name}`, 'readings/s', rounds))
  // Of neighbours in time, round by round: what else the machine does hits both.
  const ratios = [...results]
    .filter(([name]) => name !== 'edge')
    .map(([name, rounds]) =>
      figureOf(
        'ingest',
        `${shape.name}: edge ÷ ${name}`,
        '×',
        ours.map((rate, round) => rate / rounds[round]!),
      ),
    )
  return [...rates, ...ratios]
}
