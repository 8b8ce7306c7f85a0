// What the image is: small, without tools, without rights it does not need.
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { GenericContainer, Wait } from 'testcontainers';
import { text } from 'node:stream/consumers';
import { documented, output, shell, world } from './environment.js';

const { image } = world;
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

interface ImageInspection {
  readonly Size: number;
  readonly Config: { readonly User: string; readonly Labels: Record<string, string>; readonly Entrypoint: string[] };
}

describe('the image', () => {
  test('its size, user, entrypoint and labels', async () => {
    const [inspected] = JSON.parse(await output(`docker image inspect ${image}`)) as [ImageInspection];
    const { Size, Config } = inspected;
    process.stdout.write(await output(`docker history --no-trunc=false ${image}`));
    process.stdout.write(`\n${image}: ${Math.round(Size / 1e6)} MB, user ${Config.User}\n`);
    expect(Size).toBeLessThan(400e6);
    expect(Config).toMatchObject({ User: 'node', Entrypoint: ['node', '/app/dist/main.js'] });
    expect(Config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'dtr-backup',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.licenses': 'Apache-2.0',
    });
  });

  test('--version is that of package.json, and --help fits the docs', async () => {
    const container = await new GenericContainer(image)
      .withCommand(['--version'])
      .withWaitStrategy(Wait.forOneShotStartup())
      .start();
    const printed = await text(await container.logs());
    await container.stop();
    expect(printed.trim()).toBe(version);
    expect(await output(`docker run --rm ${image}`)).toContain('backup');
  });

  test('no build tools, no package manager, no tests', async () => {
    const tools = 'npm npx yarn corepack gcc g++ make python3 git tsc curl';
    const line = `for tool in ${tools}; do command -v $tool; done; ls -d /app/*; ls /app/node_modules/.bin; true`;
    const found = await output(`docker run --rm --entrypoint bash ${image} -c '${line}'`);
    expect(found.split('\n').filter((path) => path.startsWith('/app/'))).toEqual([
      '/app/LICENSE',
      '/app/dist',
      '/app/node_modules',
      '/app/package.json',
    ]);
    expect(found).not.toMatch(/jest|tsc|eslint|\/(?:usr\/)?(?:local\/)?bin\//);
  });

  test('reads only: a root file system without a writable place, no capability, no new privileges', async () => {
    const flags = '--read-only --cap-drop ALL --security-opt no-new-privileges --env UCP_PASSWORD';
    const line = `docker run -i --rm ${flags} ${image} backup --ucp-url ${world.ucp} --ucp-insecure-tls --ucp-username admin`;
    const { exitCode, stdout } = await shell(
      `${line} | tail -c 1024 | tr -d '\\0' | wc -c; exit \${PIPESTATUS[0]}`,
    ).ended();
    expect({ exitCode, ending: stdout.toString().trim() }).toEqual({ exitCode: 0, ending: '0' });
  });

  test('its Node passes the tests of encryption and compression, zstd among them', async () => {
    const jest =
      'node --experimental-vm-modules node_modules/jest/bin/jest.js archive/envelope integration/archive/encr';
    const { exitCode, stderr } = await shell(`docker run --rm dtr-backup-test-world ${jest}`).ended();
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stderr).toMatch(/^Tests: .*\d{2,} passed/m);
    expect(stderr).not.toContain('SKIPPED for want of a Node with zstd');
  });

  test('compresses with zstd, encrypts, and proves what it made', async () => {
    const run = `docker run --log-driver none -i --rm --env UCP_PASSWORD --env BACKUP_PASSPHRASE=secret ${image}`;
    const flags = '--encrypt --compress zstd';
    const line = `${run} backup ${documented} ${flags} | ${run} verify -; echo "\${PIPESTATUS[*]}"`;
    const { stdout } = await shell(line).ended();
    expect(stdout.toString()).toMatch(/^dtr-backup-v\S+: whole and unaltered: [^\n]*\n0 0\n$/);
  });
});
