/** What a large deployment looks like here: a city of 100,000 residents in 200 communities, whose meters report hourly. */
export const size = {
  residents: 100_000,
  communities: 200,
  /** Meters, each once an hour for the whole time: these residents are the ones whose pages are asked for. */
  wholeHistory: 2_000,
  /** As many more whose meters report every 5 min, for as long as the resident's page looks back. */
  everyFiveMinutes: 100,
  days: 90,
  /** What the meters of all the others have behind them. */
  hoursOfOthers: 24,
  closedAlerts: 40_000,
  openAlerts: 3_000,
} as const

export const residentId = (i: number) => `r${String(i).padStart(6, '0')}`
/** Who sees one community of 500, who sees all of them, and who runs the system. */
export const workerId = 'c001-worker'
export const cityId = 'city-supervisor'
export const operatorId = 'city-operator'
/** Of resident i; the token of a family link, which the database knows only as a hash. */
export const familyToken = (i: number) => `${residentId(i)}-${'invented-token-of-a-daughter-0123456789'}`.slice(0, 43)
