/** Served beside this code, from the package as it is. */
export { Idiomorph } from 'idiomorph'
