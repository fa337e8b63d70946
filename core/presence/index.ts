export {
  CARD_BYTES,
  type Card,
  type CardFields,
  encodeCardLink,
  encodeCardPem,
  NAME_BYTES_MAX,
  openCard,
  signCard,
} from './card.ts';
export {
  type CardSecrets,
  type Contact,
  type ContactChoices,
  ContactError,
  type ContactFault,
  Contacts,
  type ContactsOptions,
  contactsSchema,
  RING_POLICIES,
  type RingPolicy,
} from './contacts.ts';
export {
  callHint,
  callPsk,
  pairwiseSecret,
  publicPairwise,
  publicPresenceSecret,
  rendezvousCookie,
} from './friend-keys.ts';
export {
  type Mailbox,
  type MeetingPoint,
  PRESENCE_DATA_TYPE,
  type Presence,
  type Status,
} from './item.ts';
export { type Pasted, readPasted } from './pasted.ts';
