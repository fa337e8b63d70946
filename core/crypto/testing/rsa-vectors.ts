// Project Wycheproof (Apache-2.0), rsa_pss_4096_sha256_mgf1_32: its key and those of its 108 vectors that show something
// on their own. Test cases by their `tcId`.

import { Buffer } from 'node:buffer';

function base64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

export const WYCHEPROOF_SPKI = base64(`
  MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAlWNT7LdWGUXcVUTkYCRmB4yT8oUHcB/9OeKpgTyKyHQOatYclV1I
  TlE7Pc6lJ+ABoBjuLCB8GAapZ2MoAjbNPIIN/3mDfJtwnLS1ItPdvJGSJCJZxDvnXqJE03zPqKTHUCSiz3zHboQuppzHyhIn
  QFsHAEc4elBo5JduS47V+arde02wJPu4172KBA2PZhDBxusdS2Bt/RgiNdA2CIAwTVp1BgOvDEJLjI5tvBLDaX0tYJyXVH53
  Ti42LqltFpDclDIRLFNSWLPbLEwyrVENbAetB4g1eIOGnvuLYpKYckhHklz0KzQ4a+cA8CkD21hSJ2vuI3CUHzl73DkF4wlk
  oLXnNgJwM0CWDD7WB4JjthHxl5Vf7M5LmjLkPNHS5eh8TOtl7ciFOn7jHSjhblrf+4rHt2D7/GPV8XT00JNkYduxLJZKa21s
  7nUuX8oatKn9I43T6IYKHXY9IBn557me12ZtTgOHEPkOAJO8VmmH1sAJL1cTducFs0LQZsVObiV4knuSwfCSjeROmm4fSbkH
  xqpPYF7Jw5jVXfgcZzc7A8yBEBYvtBf5b9MhBIZH38uzkkVRFc2RLqgzUYU+ahhShGSIQq3L0l5nF0o7k7imTOLOneDoV3uL
  ZizjLiVleCZl3Tjlu1/MT+EuQyDat3c7VFoJxtOdnbrUWfIfPmJO5u0CAwEAAQ==
`);

export interface PssVector {
  readonly what: string;
  readonly message: string;
  readonly signature: Uint8Array;
  readonly valid: boolean;
}

export const WYCHEPROOF_PSS: readonly PssVector[] = [
  {
    what: '3: valid signature',
    message: 'Test',
    valid: true,
    signature: base64(`
  K5gbZh4eJEtn4Ykr2rVF7cnvaLULRXKlNt1KQPMRlWSLgYBFT6qHZboZt6xqWRdsGixiHm9BMa+WvrTqRyUtdhe52LQytc2Q
  D3syiwATNkpSDORq5mpjtxgatgtRSDnsj2u2PsL4OioULYzlMvY+vdPynOJnl/RvaEgYGP8eAMR98efo2AlzcwemOQLJTZwu
  5cafH6BgLu7atNf20AMt4agpTBF60qo08RdVRPK8HUZsWWWuV5a64hbO6L97kfl0apd0nM4DiPj0Q9FDF+gly6LqJ4BFgmg1
  36tQCRzJiPwS1JE5IM1iWsMh302JF1uj9J+J03Ixi8IiZDq4iCRvjlrWTyJ74EO+w4KM6gvAIpvm5xoDXcqXv+DC80zgPB7p
  0ITRmm1sMBFoEpplic7hEZzuhONbVh0fZYsuTxbCtKwt7Y7VdX6+wtXtWcZve9ky1kxYr3/BavTT9rxCiXEUyexTf4t+qGdS
  oqJhM6e4CF9NQ4umQ/ejiaHGgRwu5O2kgGDSfmKZtEyNUE0oDKVspJwka1xMiX0+HTUuBH9zXLfjDOhwYe8me9nFDn3ncDKh
  YqyaAm5oS7TQ6BMakCQElEGPvkccmQCmsyIwbkeRX4PN2OUlVm6Kcd/Iae5cfnTTOshkbXwXD/gvLz5dMZ3GHK0GI1FFwDHQ
  PNQg/DcK2z4=
`),
  },
  {
    what: '73: salt is all 0',
    message: '123400',
    valid: true,
    signature: base64(`
  ZKiD9DmwfIshtBUMc831D3L2yi75DaNLv/5cktN4Iffmp6HTaQSrXZEzy4JSenJ1m/pEyJI8GFURKeam44UfstRkHGLkP3x+
  THQNQU38q+s31Apc5zp3gQo4va6xNOUEmynBSG7EAfXgGquDVozM33/kgl0/VqBYdRd+u/t5LlyyquQY/eWx4PY6PoPUXMwf
  hUnvbeD9zakt6QI2VgpRTfxSCSDeT1cyV1DlKsvTsLzQLsziiOK81QWNQMZH2fyeVSdpSPGdfWdgjkRLYy6hZh30Us3zq5/m
  Jw203qQBPTjIV9Jmhf4x68w6M5rs8ke9Kx14Bc6qIqAhUj2jUitYzU8ZM8EXvCifIOCupVv5LhnoJGgbKpuTyWgNqQIEu2mI
  fN13TCEzaGCLvZ0/0vVn7K0XtJ8VpNVVZACPHCfUUmVo40+iMexcXqACO+hzCw5u2jm0u5YGnf9IPIzzA2R/8XQgo9AiowS+
  cuwQiSSkyEV5s4yBCYhVGnYEPNmqVPdjB35NKkRzs9pEuoV3hsYhf9IArXwL1WCa1tbIXvX8BKCvJ+JInzZ+p/YSq4Jac6H7
  e0zZp9Rb9M0Kcsm8VKyBGTZFsU45zUYYGnk3G/z8uTWaZlYQX3nBHqcFOs1El9tlH5j1k9hIei6PLTQZlFQQ5YDDXUB3ECI0
  DExNbyJ/kaE=
`),
  },
  {
    what: '67: s_len changed to 0',
    message: '123400',
    valid: false,
    signature: base64(`
  kkdptIjC8lvB0tKsmyk0v0oAEivJ5jXostw/VVBXn9f9ngcr2N/rfokXBFx7JTe5b4//mWERWo+Ohms1zBREYzh3IIv9FBDh
  rJH+YkhK336MDrWIWFnAdXWQ408JXziDIM5FXk31bP7cexX7XJ2V5pYgfL3fq2OnHuuevUq6XCFCZ6avFSRxaCGlomk3AuED
  w/m0hyNaP9PtnevPpRtceW/ikWdGFGwHFHNw7RVCT/9LB+wTOpIDd4NiagpI0qOkQKYRcS7MfyjUqxRtiYOCorJd+Y4n4V4W
  j/1yXFcHfobi6IzAFSF/4u3ol45Nhaz7ZsvS+9NpNrApL+Y2UOoigPhqnTykJ6d/T522nxF6DkH/humMrzYHIyIgHJKMElwv
  Shk1jGLvR99KeW1n0v65h546GViVBCpagCi/ngE/ixQjY6GhkqLjvJaEelFTIt51D+NG7xUKFOGtx8u21IC8Qt0GqElcTm7U
  6mRBrXGfLt1mltoFMPVIaHFbsl4X1JKxdLd6mS4v2Ze+5yemPoy67IfeNrtwDrQgjhdOLtQ3kwmQ/H9eWOWXBkAlZeUunyB7
  RUZRTc/YTXQ0juk+kOm7D08oj8qY1SauiHZ3kRIjalRGy6phXY9uRdxcNR/0X8qn+eaJHwmmILKxJInW7jBDyGw1sJkqCGon
  HXijf6XtYyI=
`),
  },
  {
    what: '71: s_len changed to 33',
    message: '123400',
    valid: false,
    signature: base64(`
  ONTOahT90ds0x+M/NHYLuLJVNy+AzOHXCO6MQxnsGi75v/SXVd5+IAQhY3xCU42F6orFKBWtdXGCC2Hzd+912L+Q5RWxCzEF
  7ZFO/q+dZaOVSHRWxyrIjaokKvwM99FY77KJIvTlxREaCWPA0Fg91cEpMRPICUClZurrPxCb6jV7sfljpP2559M4HTO0J2xC
  bTGwK7xIMFZrZoJ57wfk8xHHyJBhneGVQIiL1IyYQuxZ+5wRt/V6g54y3BGy3qvfd3iGksMaKTDKAU70wQ7oALlCVnqJjNnr
  ZYOBmjNsaapUsYivWFNkosU7LVvxQaXs/ARt+W8vVueFCczR0Bs3asf9mCEthKgB/79C5w92mf5p/wXTtD3OsqJn7unZl1+W
  WoQ1EqazPHOmOSU7vdfQ0fmpj3V7z0y1g473GcPUDjHFGS1lyXaepokX2msYgURqhS+LBVJSsUCfhIIGKCOojybrgboX+E1Q
  GPYkUoGs1SWprJZOuTcGaWfD6oaV9JGsmo5EAS9js0EMONmfaOlAItAFohyIawwvLpe4KnOawXApOcNQc2umSfgtKjGb4yhI
  J1Y4Pa9FvxMDTO/K/VTz6yqUtGCjazsaV8ic9gJIZjvWnhCwJDSyDRdNQjfWvnJACjo3LtmwoPYJtkqfHyfCIWeU1SJm+PJ1
  mM9ZrP1ZSJs=
`),
  },
  {
    what: '94: bit 7 of masked_db not cleared',
    message: '123400',
    valid: false,
    signature: base64(`
  LwTjLhepppkXM5E0dfVMsYq+XNb3hWqM8SUl96gxJ8ICVRSVZZg3GeWLEMI/pwontA1yM3C/3RS61nC1ois0Ru0Uc+jwEuW/
  5wof3Bp9gmQw4wFAXbcsgVdj5MVIaTjej3i1VmSBCOru+21aRSDaNlz2SsadLw0oQrVlDaLQZjkDLE+QkHoxZPZ+CrxopLuG
  d41vDG+MFYW3anNXPezLcBDSHpWfyRia7gJFi441PxKj2YzLa6xeOlf/5bYK83sEP7WMxHjKniSelKML/uTFCeFQo+KOVtxC
  IvmWjKjGLM9XMmpHOzAFVlVlTT5wDqBHVrw/aHcH4Nr7lTFwbQbDCqFx4zVQtmBVre4zkQrvVzr53QayYRQl2dSCCAfBL3sp
  p/zZjDlI1TUuP6gIMgXhPwde7U5kQsDj3PaMdl7ZN0jP4z11j+4OR6GXfQt5p1XnMb4iuwxVytgNVJObeo29TJwgtzafkHu8
  KlQPrgGJqwn+YruN77R5qRPz69Fnq76zUQSy46dVBLXrWKHjTJkSVOe5EV3G/AlG5NOOLEdRmbooO+ayIs3QqQ7wz57Jijz4
  FeTZ7iPjcItt2qrdFGqAKlO1e+7pCVKEUtcBcLiq9AypL9XD9afofpPzDuiYgcc2jAytR3Mum1jxPi1Ic7WWAF5jRMbwMMnt
  db1l8nO6pn0=
`),
  },
  {
    what: '108: PKCS #1 v1.5 signature with SHA-256',
    message: '123400',
    valid: false,
    signature: base64(`
  DiB94SlcqtsVCY9R9duQ+fAAd2BVsQe+WL0k1SoB1BccueR6QHkCVPhqilbIrjglL5Cao7m757fh/tAIEFaQ2a+mRwZ6wSKi
  ctMKwoIT0s03tFz4HcSNWeh9n/rvbhyc9t306l/2EjUjycyIU0S34e9MgJa7VCvA+lxHq6q8qaWMqFvPCSkkdBUDoPPFTHJc
  SIVdxDSwnXYfcpBR+xWvVhK904e0zVAZV3Mnuy5k7bBl9xPVD/QoXx0YT+cJIH+Am5w40GRyKJeoaPigm/4dM8gL4Gk+mNfo
  VgC++2Q+n3E1hMcWMGcx1/gIff9mvhxPbd28Ubb/5gNIRc8PiHSeA57DFIh8lGSBVPfJcjUyO/eAQewsjumOp8VT7P7B+f6J
  J5yckaxqzRLr6WnaTGf6ZTTvms5LYpx7HejEzh3CsPW9fUFttutRKk3I7aAyITjLfGW5pY1xIoTkqvBZ24CvV4WvTYPTkbfY
  vcQHFjZxJBDR3eZiR46toaLx81eGt47sd7J4hTYQjnRj1naBSpH4H9XiCEqMGxzDOYjnMYQRDG5rDvHeh0EEYC6zO1J267rJ
  XZG5Q+Jd5t/GazHYCRlhx43N3TWN5/JVhNn3TcYnH/MSlL7izJsvl6JYPJszJDYAUAvHI7BdZYOd50Qolb1Xod1QhlGiDiDy
  ZNjctZ1IUkc=
`),
  },
];
