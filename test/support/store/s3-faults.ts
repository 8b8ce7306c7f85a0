/** Faults that several tests give to a scripted S3. */
import { refuse, type Fault } from './scripted-s3.js';

export const on =
  (operation: string, answer: Fault): Fault =>
  (exchange) =>
    exchange.operation === operation && answer(exchange);
export const html: Fault = ({ response }) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><p>Welcome<br></p>');
  return true;
};
export const cut: Fault = (exchange) => {
  exchange.cut();
  return true;
};
export const refusal =
  (status: number, code: string): Fault =>
  (exchange) =>
    refuse(exchange, status, code, 'server text');
