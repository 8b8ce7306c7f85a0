/** What wraps an archive is cut short or altered. */
export class DamagedInputError extends Error {
  override readonly name = 'DamagedInputError';
}
