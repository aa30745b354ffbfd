import { expect, test } from 'vitest';
import { PathMethods } from '../../src/http/methods.ts';

const paths = new PathMethods();
paths.add('/v1/things', ['GET', 'HEAD']);
paths.add('/v1/things', ['POST']);
paths.add('/v1/things/:id', ['DELETE']);
paths.add('/v1/things/special', ['GET']);
paths.add('/v1/files/*', ['GET']);
paths.add('/v1/a.b', ['GET']);

test.each([
  ['/v1/things', ['GET', 'HEAD', 'POST']],
  ['/v1/things/7', ['DELETE']],
  ['/v1/things/special', ['DELETE', 'GET']],
  ['/v1/things/7/more', []],
  ['/v1/things/', []],
  ['/v1/files/a/b', ['GET']],
  ['/v1/a.b', ['GET']],
  ['/v1/axb', []],
  ['', []],
])('%j takes %j', (path, methods) => {
  expect(paths.of(path)).toEqual(methods);
});
