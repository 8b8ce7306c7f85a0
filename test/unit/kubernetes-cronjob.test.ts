// docs/pipelines/kubernetes-cronjob.yml: its form against the schema of Kubernetes, its settings against those of the program.
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { CronJob } from 'kubernetes-models/batch/v1';
import { parse } from 'yaml';
import { variablesOf, type Setting } from '#src/settings/setting.js';
import { settings } from '#src/settings/settings.js';

const text = readFileSync('docs/pipelines/kubernetes-cronjob.yml', 'utf8');

interface Parsed {
  spec: {
    jobTemplate: { spec: { template: { spec: { containers: { args: string[]; env: { name: string }[] }[] } } } };
  };
}

test('the CronJob is one of Kubernetes; one with a mistake in it is not', () => {
  expect(() => new CronJob(parse(text) as never).validate()).not.toThrow();
  for (const mistake of [text.replace('schedule:', 'schedul:'), text.replace('mountPath:', 'path:')])
    expect(() => new CronJob(parse(mistake) as never).validate()).toThrow();
});

test('its variables and flags are those of the program', () => {
  const { containers } = (parse(text) as Parsed).spec.jobTemplate.spec.template.spec;
  const { args = [], env = [] } = containers[0] ?? {};
  const all = Object.values<Setting>(settings);
  const variables = all.flatMap(variablesOf);
  const known = [...variables, ...variables.map((name) => `${name}_FILE`)];
  expect(env.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([]);
  const flags = args.filter((arg) => arg.startsWith('--'));
  expect(flags.filter((flag) => !all.some((setting) => flag === `--${setting.flag}`))).toEqual([]);
});
