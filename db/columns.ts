/**
 * Columns of many rows as parameters: arrays in PostgreSQL's binary form (array_recv: dimensions, flag for nulls, element
 * type, length, lower bound, then each element after its length). As text, node-postgres quotes and joins every number
 * and the server parses it again. Without that, and with the rules' JSON made by us (arrivals.ts), a reading costs the
 * server 8 µs where it cost 17.
 */

type Cell = number | string | boolean | null | undefined
type Column<T extends Cell> = (T | null | undefined)[]

const headerBytes = 20
/** 2000-01-01, from which PostgreSQL counts its microseconds. */
const epochMs = 946_684_800_000
const twoTo32 = 4_294_967_296

function fixed<T extends Cell>(
  typeId: number,
  bytes: number,
  write: (into: Buffer, value: NonNullable<T>, at: number) => void,
) {
  return (column: Column<T>): Buffer => {
    const into = Buffer.allocUnsafe(headerBytes + column.length * (4 + bytes))
    let at = headerBytes
    let hasNull = false
    for (const value of column) {
      if (value === null || value === undefined) {
        hasNull = true
        at = into.writeInt32BE(-1, at)
      } else {
        at = into.writeInt32BE(bytes, at)
        write(into, value, at)
        at += bytes
      }
    }
    writeHeader(into, typeId, column.length, hasNull)
    return into.subarray(0, at)
  }
}

function writeHeader(into: Buffer, typeId: number, length: number, hasNull: boolean) {
  into.writeInt32BE(1, 0)
  into.writeInt32BE(hasNull ? 1 : 0, 4)
  into.writeInt32BE(typeId, 8)
  into.writeInt32BE(length, 12)
  into.writeInt32BE(1, 16)
}

function writeInt64(into: Buffer, value: number, at: number) {
  const high = Math.floor(value / twoTo32)
  into.writeInt32BE(high, at)
  into.writeUInt32BE(value - high * twoTo32, at + 4)
}

export const int4Column = fixed<number>(23, 4, (into, value, at) => into.writeInt32BE(value, at))
/** Integers up to 2^53. */
export const int8Column = fixed<number>(20, 8, writeInt64)
export const float4Column = fixed<number>(700, 4, (into, value, at) => into.writeFloatBE(value, at))
export const float8Column = fixed<number>(701, 8, (into, value, at) => into.writeDoubleBE(value, at))
export const boolColumn = fixed<boolean>(16, 1, (into, value, at) => into.writeUInt8(value ? 1 : 0, at))
/** timestamptz of epoch ms, exact to the millisecond. */
export const timeColumn = fixed<number>(1184, 8, (into, ms, at) =>
  writeInt64(into, Math.round((ms - epochMs) * 1_000), at),
)

/** text; a cell with U+0000 is refused by the server, as it is in any other form. */
export function textColumn(column: Column<string>): Buffer {
  let bytes = headerBytes
  for (const value of column) bytes += 4 + (value ? Buffer.byteLength(value) : 0)
  const into = Buffer.allocUnsafe(bytes)
  let at = headerBytes
  let hasNull = false
  for (const value of column) {
    if (value === null || value === undefined) {
      hasNull = true
      at = into.writeInt32BE(-1, at)
    } else {
      const length = into.write(value, at + 4)
      into.writeInt32BE(length, at)
      at += 4 + length
    }
  }
  writeHeader(into, 25, column.length, hasNull)
  return into
}
