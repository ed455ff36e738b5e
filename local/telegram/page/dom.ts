/** Elements from data. Text enters the page as text nodes only, never as markup. */
type Child = Node | string | undefined | false | null

type Handlers = { [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void }

export interface Props {
  readonly class?: string
  readonly testid?: string
  readonly title?: string
  readonly on?: Handlers
  /** Attributes by name; undefined and false leave one out, true sets it empty. */
  readonly attrs?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly data?: Readonly<Record<string, string | number>>
}

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  if (props.class) element.className = props.class
  if (props.testid) element.dataset.testid = props.testid
  if (props.title) element.title = props.title
  for (const [name, value] of Object.entries(props.attrs ?? {})) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const [name, value] of Object.entries(props.data ?? {})) element.dataset[name] = String(value)
  for (const [name, handler] of Object.entries(props.on ?? {})) {
    element.addEventListener(name, handler as (event: Event) => void)
  }
  fill(element, children)
  return element
}

/** `Node.appendChild`, since the types of `Element.append` are also those of another runtime. */
export function fill(parent: Node, children: readonly Child[]): void {
  for (const child of children) {
    if (typeof child === 'string') parent.appendChild(document.createTextNode(child))
    else if (child) parent.appendChild(child)
  }
}

export function add(parent: Node, ...children: Child[]): void {
  fill(parent, children)
}

export function refill(parent: Node, ...children: Child[]): void {
  parent.textContent = ''
  fill(parent, children)
}

const SVG = 'http://www.w3.org/2000/svg'

/** Line icons on a 24-unit grid. */
const ICONS = {
  send: 'M3 20.5 21.5 12 3 3.500v6.600L15.500 12 3 13.900z',
  attach:
    'M21 11.5 12.500 20a5.500 5.500 0 0 1-7.800-7.800l9-9a3.700 3.700 0 0 1 5.200 5.200l-9 9a1.800 1.800 0 0 1-2.600-2.600l8.300-8.300',
  back: 'M15 5l-7 7 7 7',
  menu: 'M4 7h16M4 12h16M4 17h16',
  more: 'M12 5.500h.01M12 12h.01M12 18.500h.01',
  down: 'M6 9l6 6 6-6',
  close: 'M6 6l12 12M18 6 6 18',
  file: 'M7 3h7l5 5v13H7zM14 3v5h5',
  keyboard: 'M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M8 14h8',
  stop: 'M7 7h10v10H7z',
  check: 'M4 12.500l4 4 8-9',
  checks: 'M2 12.500l4 4 8-9M11 15.500l1 1 8-9',
  play: 'M8 5v14l11-7z',
  plus: 'M12 5v14M5 12h14',
  reply: 'M10 8V4l-7 7 7 7v-4c5 0 8 1.500 11 5-1-6-4-11-11-11z',
  outside: 'M8 6h10v10M18 6 6 18',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  pin: 'M9 4h6l-1 6 4 4H6l4-4zM12 14v7',
} as const

export type IconName = keyof typeof ICONS

export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('class', `icon icon-${name}`)
  svg.setAttribute('aria-hidden', 'true')
  const path = document.createElementNS(SVG, 'path')
  path.setAttribute('d', ICONS[name])
  svg.appendChild(path)
  return svg
}
