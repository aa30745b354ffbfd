/** Which methods a path is there for: what tells a wrong method from a wrong path. */

interface Route {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

function patternOf(url: string): RegExp {
  const source = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')))
    .join('/');
  return new RegExp(`^${source}$`);
}

export class PathMethods {
  readonly #routes = new Map<string, Route>();

  add(url: string, methods: readonly string[]): void {
    let route = this.#routes.get(url);
    if (route === undefined) {
      route = { pattern: patternOf(url), methods: new Set() };
      this.#routes.set(url, route);
    }
    for (const method of methods) route.methods.add(method);
  }

  /** Sorted; empty: there is no such path. @param path without its query */
  of(path: string): readonly string[] {
    const methods = new Set<string>();
    for (const route of this.#routes.values()) {
      if (route.pattern.test(path)) for (const method of route.methods) methods.add(method);
    }
    return [...methods].sort();
  }
}
