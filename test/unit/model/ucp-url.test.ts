import { describe, expect, test } from '@jest/globals';
import { parseUcpUrl } from '#src/model/ucp-url.js';

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
