/** The pattern for `like` that finds `search` anywhere in a text kept in small letters, its own % and _ taken as they are. */
export const containing = (search: string): string => `%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`
