/** The clocks of two hosts lie less than this apart: a claim that ends later still was made before a clock jumped back. */
export const hostsApartMsMax = 60_000
