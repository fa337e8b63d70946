export { RpcNode, type RpcNodeOptions } from './driver.ts';
export * from './rpc.ts';
