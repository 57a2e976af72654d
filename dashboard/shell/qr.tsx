import { encode } from 'uqr'

/** A QR code as a drawing, black on white whatever the page looks like, with the quiet zone that readers need around it. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const quietModules = 4
  const { data, size } = encode(text, { ecc: 'M', border: 0 })
  const side = size + 2 * quietModules
  // Dark modules that touch are one bar: a third of the text, and no seams between them.
  const bars = data.flatMap((row, y) =>
    row.flatMap((isDark, x) => {
      if (!isDark || row[x - 1]) return []
      const end = row.indexOf(false, x)
      return [`M${x + quietModules} ${y + quietModules}h${(end < 0 ? size : end) - x}v1H${x + quietModules}z`]
    }),
  )
  return (
    <svg class="qr" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={side} height={side} fill="#fff" />
      <path d={bars.join('')} fill="#000" />
    </svg>
  )
}
