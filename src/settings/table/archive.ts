/** How an archive is judged and reported. */
import { flag } from '../setting.js';

export const archiveSettings = {
  json: flag({ flag: 'json', help: 'print JSON for programs' }),
  allowUnproven: flag({
    flag: 'allow-unproven',
    notInDotenv: true,
    env: 'DTR_ALLOW_UNPROVEN',
    help: 'accept an archive without a manifest (the vendor’s), whose completeness cannot be verified',
  }),
} as const;
