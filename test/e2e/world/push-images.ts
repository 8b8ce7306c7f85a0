/**
 * Runs in a container of the e2e world, on the overlay network: pushes small images into the replica's registry.
 * Usage: push-images.js IMAGES LAYERS (of each)
 */
import { Registry } from './registry.js';

const { DTR_REPLICA_ID: replicaId = '' } = process.env;
const [images = 1, layers = 1] = process.argv.slice(2).map(Number);
const registry = new Registry(`http://dtr-registry-${replicaId}.dtr-ol:5000`);
const numbers = Array.from({ length: images }, (_, index) => index);

/** Takes the next number until there is none. */
async function lane(): Promise<void> {
  for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
    const image = Array.from({ length: layers }, (_, layer) => Buffer.from(`{"image":${number},"layer":${layer}}`));
    await registry.pushImage(`admin/app${number}`, 'latest', image);
  }
}

await Promise.all(Array.from({ length: 8 }, lane));
console.log(`Pushed ${images} images of ${layers} layers`);
