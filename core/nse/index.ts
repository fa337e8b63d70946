export {
  type Estimate,
  Nse,
  type NseInput,
  type NseOptions,
  type NseOutput,
  type Signer,
} from './nse.ts';
