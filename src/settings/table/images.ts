/** Which image content is backed up, and from where. */
import { flag, list, text } from '../setting.js';
import { anyText } from '../value-parsers.js';

export const imagesSettings = {
  registryPath: text({
    flag: 'registry-path',
    env: 'DTR_REGISTRY_PATH',
    placeholder: 'DIRECTORY',
    help: 'where the registry storage is mounted into this job; read from there if it is',
    parse: anyText,
    default: '/registry',
  }),
  since: list({
    flag: 'since',
    placeholder: 'ARCHIVE',
    help: 'leave out the blobs that this image archive holds, which is verified first; repeatable',
    parse: anyText,
  }),
  allowChanged: flag({
    flag: 'allow-changed',
    notInDotenv: true,
    env: 'DTR_ALLOW_CHANGED',
    help: 'end with 0 also when files changed or vanished while they were read, do not fit a tar, or are missing in the registry itself',
  }),
} as const;
