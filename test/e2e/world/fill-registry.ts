/** Runs in a container of the e2e world: fills the registry's volume, mounted at /storage, with what images are made of. */
import { fillRegistryTree } from '../../support/registry-tree.js';

fillRegistryTree('/storage', { smallBlobs: 5000, largeBlobBytes: 100_000_000 });
