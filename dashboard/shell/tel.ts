/** The link that dials a number as it was entered. */
export const telHref = (phone: string): string => `tel:${phone.replace(/[^+\d*#]/g, '')}`
