// What the texts of settings mean: a rate, the URL of UCP.
import { describe, expect, test } from '@jest/globals';
import { parseRateLimit } from '#src/model/rate-limit.js';
import { parseUcpUrl } from '#src/model/replica-access.js';

test.each([
  ['5000/s', { unit: 'documents', perSecond: 5000 }],
  ['0.5/s', { unit: 'documents', perSecond: 0.5 }],
  ['10MB/s', { unit: 'bytes', perSecond: 10_000_000 }],
  ['500kB/s', { unit: 'bytes', perSecond: 500_000 }],
  ['1.5 gb/s', { unit: 'bytes', perSecond: 1_500_000_000 }],
] as const)('%s is a rate', (text, rate) => {
  expect(parseRateLimit(text)).toEqual(rate);
});

test.each(['', '0/s', '10', '10MB', '-1/s', '1e3/s', '10MiB/s', '10/min'])('%j is no rate', (text) => {
  expect(parseRateLimit(text)).toBeUndefined();
});

describe('the URL of UCP', () => {
  test.each([
    ['ucp.example.com', 'https://ucp.example.com'],
    ['https://ucp.example.com', 'https://ucp.example.com'],
    ['HTTPS://UCP.Example.com/', 'https://ucp.example.com'],
    ['https://ucp.example.com:443/manage?x=1#top', 'https://ucp.example.com'],
    ['ucp.example.com:8443/manage/login', 'https://ucp.example.com:8443'],
    ['localhost:12376', 'https://localhost:12376'],
    [' 192.0.2.7 ', 'https://192.0.2.7'],
    ['[2001:db8::1]:6443', 'https://[2001:db8::1]:6443'],
  ])('%s is %s', (text, url) => {
    expect(parseUcpUrl(text)).toBe(url);
  });

  test.each([
    '',
    '   ',
    'http://ucp.example.com',
    'ftp://ucp.example.com',
    'https://',
    'https:///path',
    'https://http://ucp.example.com',
    'https:ucp.example.com',
    '//ucp.example.com',
    '/manage',
    'ucp.example.com:port',
    'ucp.example.com:99999',
    'ucp example.com',
    'https://admin:secret@ucp.example.com',
    'admin@ucp.example.com',
  ])('%p is none', (text) => {
    expect(parseUcpUrl(text)).toBeUndefined();
  });
});
