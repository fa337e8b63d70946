// Signatures of the test hostkey alice, recorded from this code: they pin the signed bytes, label and network included.
// What they sign is written out in descriptor.test.ts and compact-certificate.test.ts. The network is 16 times 0x07.

import { Buffer } from 'node:buffer';

function base64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

export const DESCRIPTOR_SIGNATURE = base64(`
  tcn/0QPwTQ0J/kezJgdVyHbUQVzS6OJTrOFoniLpK1LVn9Q/Iw3ueGRwJg6l2myVHK+VazSjSb1rrVwVuwcWciJnpp/7LsCa
  sLu3W51Ie22/a8yTAMs+ghvq9E+uFidVZ4E+bbDsG7W1vqQYbF1qGH9q9A/yfuzet2z5vzL9rBfATp99jjZRsPt/0lKVJSkq
  YrPjC44BWH2MVLsDz+AjPs+iwX2qwCrkrUyuUdq4QTd4LyPTDa1Vz5r9zwawYPZQgpPCnBeC0/YXnAmtfwW9adTN7/R2d+Px
  KPXBMT4AdDR+DlqjH+NE3+mnMRHYgP2tGj6X+qBnSR7gy4zQ1S5hGIsCXsZ9kNfHPtAfD3i2kzjwNiXAnyus4HBIwxg4D5PZ
  AIeEYiDNnUWR5OPFKrpoAZwn52lROJohWlSSycaITkpf30wsfq+61Sf+6Jni7WmK6AQbd1Nhyx9VRS44XjP3xCNmGrfCtzBr
  bvfqPG/OYBP15gsKMqx5ylAqXu3vR2qkIXeB60oH3iw1WJnC8baV70vSNwkggrleu7JxuX1f9Hhte8msM0SCkox/Sa8P5aWN
  aeH8Mg/xCzWJIM7Tuh5bUjYPaIvLDSwadxi0vgE3wXNKQCKlQEYP4gTGdpJAgp3sMBRO3owuAotly9wNRunTdovXMOHIayNa
  zk6WXzJrrxA=
`);

export const COMPACT_SIGNATURE = base64(`
  MqDjrxElGltBm1QijyT+biQ0eQqTnhsLIyXuCgZ/JUa6i/Q45nwUacZxhOxT5+PkyHwAqA4EvAWiQlhUYSZDq/u+A1rGPAKy
  LileSMf5CWtneoZ7GNXbH4F8AWrXVRkNLygbrpzbey3i6bfrealXR860+pQv2xTV8Wzmcshs1tKl0q8jEuBn4e5upuwFvqJy
  RLbQUJ7dlpMjx5UjOMNS6yOxRoDmoc64SvOMp4s1rYWteoguUjOtUvq36OtsjtB3t/arxX9Dis5ZNj3jv2TA+dbHwQZYWTyG
  wb1chA+r5qR8V6lR+V7qelST4jVT/R+Yda2ZbU/T+Ica2wTuh3LfsQ+fUH9ht5m+0DxCCSEP61h3PaY73z8zulH9JPQF3bYB
  0ATaPvreixPlROTg/yaz0WC+N2qyb9HT59P/zsvau+aB8JIUXodb+nCVM/lOFU49A1vy88cdklp60ewMb+QHkjv0ShA3jVrL
  byAJ8mKospiyjo4dhytYx0ZpQ/byqJc4RaBJQcVRDhfb+jECvpXIV6MIcaNIaRkQngtPVFCJ8FtpFW84zxI1ZRHVvwpzNyk6
  ShFPsTfeenDkR8CTbMtn/k0bREq1m73NhVzTx6GeM0smf9klZQRIRwEPqJo5k49XvMBGulcitTIc7JO1y2W9SK4tJ/uTrxBK
  IEsbzTT9a2Q=
`);
