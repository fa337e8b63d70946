export { settled, VirtualTime, WALL_START_MS } from './virtual-time.ts';
