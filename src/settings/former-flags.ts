/** The part of the table of settings for flags that only former versions of docker/dtr had. */
import { advanced, anyText, onOff, part, text } from './setting.js';

const noImagePulled = 'this job pulls no image';
const signsInToUcp = 'this job signs in to UCP itself';

/** Of docker/dtr 2.0 to 2.4, so that documented command lines of these versions are understood. */
export const formerFlags = part(advanced, {
  hubUsername: text(anyText('NAME'), { noEffect: noImagePulled, help: 'of DTR 2.0 to 2.2; has no effect' }),
  hubPassword: text(anyText('PASSWORD'), { noEffect: noImagePulled, help: 'of DTR 2.0 to 2.2; has no effect' }),
  enziCa: text(anyText('PEM'), { noEffect: signsInToUcp, help: 'of DTR 2.4; has no effect' }),
  enziInsecureTls: onOff({ noEffect: signsInToUcp, help: 'of DTR 2.4; has no effect' }),
  configOnly: onOff({
    refusal:
      'is refused: a backup holds all of RethinkDB, the configuration included. Leave the flag out; ' +
      'restore --table dtr2.properties writes the configuration alone. What DTR 2.0 keeps in etcd needs its own backup',
    help: 'of DTR 2.0 and 2.1; refused, because a backup holds all of RethinkDB',
  }),
});
