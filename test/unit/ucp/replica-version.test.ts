import { describe, expect, test } from '@jest/globals';
import { versionFromEnvironment, versionFromImage, versionFromLabels } from '#src/ucp/replica-version.js';

const digest = `sha256:${'0'.repeat(64)}`;

describe('the version a replica shows', () => {
  test('in the label of newer ones', () => {
    expect(versionFromLabels({ 'com.docker.dtr.version': '2.9.4' })).toBe('2.9.4');
  });

  test('in the label of older ones', () => {
    const project = 'Docker Trusted Registry 2.5.3 - (Replica 0123456789ab)';
    expect(versionFromLabels({ 'com.docker.compose.project': project })).toBe('2.5.3');
  });

  test('in the older label where the newer one is odd', () => {
    const project = 'Docker Trusted Registry 2.7.0-rc1 - (Replica 0123456789ab)';
    const labels = { 'com.docker.dtr.version': '../../etc', 'com.docker.compose.project': project };
    expect(versionFromLabels(labels)).toBe('2.7.0-rc1');
  });

  test.each([{}, { 'com.docker.compose.project': 'shop' }, { 'com.docker.dtr.version': 'latest' }])(
    'not in %j',
    (labels) => {
      expect(versionFromLabels(labels)).toBeUndefined();
    },
  );

  test('among the variables', () => {
    expect(versionFromEnvironment(['PATH=/bin', 'OLD_DTR_VERSION=1.0.0', 'DTR_VERSION=3.0.1'])).toBe('3.0.1');
    expect(versionFromEnvironment(['PATH=/bin', 'DTR_VERSION='])).toBeUndefined();
  });

  test.each([
    'dtr-rethink:2.9.4',
    'docker/dtr-rethink:2.9.4',
    'registry.example.com:5000/msr/dtr-rethink:2.9.4',
    `registry.example.com:5000/msr/dtr-rethink:2.9.4@${digest}`,
  ])('in the image %s', (image) => {
    expect(versionFromImage(image)).toBe('2.9.4');
  });

  test.each([
    'docker/dtr-rethink',
    'docker/dtr-rethink:latest',
    'registry.example.com:5000/msr/dtr-rethink',
    `docker/dtr-rethink@${digest}`,
    'docker/dtr-registry:2.9.4',
    'dtr-rethink:2.9.4/other:1.0.0',
    digest,
    '',
  ])('not in the image %p', (image) => {
    expect(versionFromImage(image)).toBeUndefined();
  });
});
