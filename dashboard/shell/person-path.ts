/** The page of one person whom Shouwang can tell. */
export const personPath = (staffId: string): string => `/people/${encodeURIComponent(staffId)}`
