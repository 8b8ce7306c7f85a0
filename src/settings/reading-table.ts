/** The part of the table of settings about archives that are read. */
import { anyText, list, onOff, part, text } from './setting.js';

/** How an archive is judged and reported. */
export const reading = part('Options', {
  json: onOff({ help: 'print JSON for programs' }),
  allowUnproven: onOff({
    env: 'DTR_ALLOW_UNPROVEN',
    notInDotenv: true,
    help: "accept an archive without a manifest (the vendor's), whose completeness cannot be verified",
  }),
});

/** What an image archive is compared with. */
export const comparing = part('Options', {
  metadata: text(anyText('ARCHIVE'), {
    help: 'the metadata archive of the same backup: check that every blob it names is in the image archive, unaltered',
  }),
  // Shares its flag with `since`, which leaves blobs out.
  madeSince: list(anyText('ARCHIVE'), {
    flag: 'since',
    help: 'with --metadata: an archive that the image archive was made --since, the oldest first; repeatable',
  }),
});
