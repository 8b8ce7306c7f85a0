/** `If-None-Match: *`, by which a server itself refuses to overwrite; not every server knows it. */
import { refusalCode, statusOf } from './s3-errors.js';

/** Whether the server refuses the header rather than the request; without it, anything else is refused again. */
export function isConditionRefused(error: unknown): boolean {
  if (statusOf(error) === 501) return true;
  return ['NotImplemented', 'InvalidArgument', 'InvalidRequest'].includes(refusalCode(error) ?? '');
}

/** Whether an object is there, or another process is just making one. */
export function hasAppeared(error: unknown): boolean {
  return statusOf(error) === 412 || refusalCode(error) === 'ConditionalRequestConflict';
}
