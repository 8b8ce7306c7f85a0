/** Runs in a container of the e2e world: adds to the registry's storage, mounted at /storage, what no registry puts there. */
import { addOddFiles } from '../../support/registry-tree.js';

addOddFiles('/storage');
