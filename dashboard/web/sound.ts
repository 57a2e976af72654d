/**
 * Sounds while an emergency waits on the page that nobody has taken and nobody has muted here in this round. Browsers play nothing
 * before somebody has touched the page: until then a button asks for it.
 */
const onKey = 'shouwang.sound'
const mutedKey = 'shouwang.muted'
const everyMs = 3_000
const mutedMax = 200

export type Sound = { look(): void; wanted: boolean }

export function startSound(main: HTMLElement): Sound {
  const panel = main.querySelector<HTMLElement>('#sound')
  if (!panel) return { look: () => {}, wanted: false }
  const texts = panel.dataset
  let audio: AudioContext | undefined
  const status = document.createElement('p')
  const button = document.createElement('button')
  button.type = 'button'
  button.textContent = texts.on ?? ''
  panel.append(status, button)
  panel.hidden = false

  const muted = () => new Set((sessionStorage.getItem(mutedKey) ?? '').split(' ').filter(Boolean))
  const ringing = () => {
    const quiet = muted()
    const cards = [...main.querySelectorAll<HTMLElement>('[data-emergency]')]
    return cards.filter((card) => !quiet.has(keyOf(card)))
  }
  const isOn = () => audio?.state === 'running'

  const look = () => {
    const waiting = ringing()
    button.hidden = isOn()
    status.textContent = (isOn() ? texts.isOn : texts.needed) ?? ''
    panel.classList.toggle('sound-needed', !isOn() && waiting.length > 0)
    for (const mute of main.querySelectorAll<HTMLElement>('[data-mute]'))
      mute.hidden = !(isOn() && waiting.some((card) => card.contains(mute)))
    document.body.classList.toggle('ringing', isOn() && waiting.length > 0)
  }
  const open = async () => {
    audio ??= new AudioContext()
    await audio.resume()
    look()
  }
  const ring = () => {
    if (audio && isOn() && ringing().length > 0) play(audio)
  }

  button.addEventListener('click', () => {
    localStorage.setItem(onKey, '1')
    void open().then(ring)
  })
  // Who turned it on once wants it on: the first touch of a new page is enough.
  const touched = () => {
    if (localStorage.getItem(onKey) === '1' && !isOn()) void open().then(ring)
  }
  for (const kind of ['pointerdown', 'keydown']) document.addEventListener(kind, touched)
  if (localStorage.getItem(onKey) === '1') void open().then(ring)

  document.addEventListener('click', (event) => {
    const mute = event.target instanceof Element ? event.target.closest('[data-mute]') : null
    const card = mute?.closest<HTMLElement>('[data-emergency]')
    if (!card) return
    sessionStorage.setItem(mutedKey, [...muted(), keyOf(card)].slice(-mutedMax).join(' '))
    look()
  })
  setInterval(ring, everyMs)
  look()
  return { look, wanted: true }
}

/** An emergency that comes back in a new round, because nobody went or nobody closed it, is not the one that was muted. */
const keyOf = ({ dataset }: HTMLElement) => `${dataset.emergency}.${dataset.round}`

/** Two rising tones, twice: heard through a door, unlike a telephone. */
function play(audio: AudioContext) {
  for (const [startS, hertz] of [
    [0, 660],
    [0.22, 880],
    [0.6, 660],
    [0.82, 880],
  ] as const) {
    const tone = audio.createOscillator()
    const volume = audio.createGain()
    const at = audio.currentTime + startS
    tone.type = 'triangle'
    tone.frequency.value = hertz
    volume.gain.setValueAtTime(0.0001, at)
    volume.gain.exponentialRampToValueAtTime(0.5, at + 0.02)
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.2)
    tone.connect(volume).connect(audio.destination)
    tone.start(at)
    tone.stop(at + 0.22)
  }
}
