// Google's wire: the shape of its discovery document, answers and ID tokens, from its documentation of OpenID Connect.
// Who signs in, and what is wrong with the answer, is told beforehand: `POST /next`.

import { createServer } from 'node:http';
import { createHash, randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const key = async (kid) => ({ kid, ...(await generateKeyPair('RS256', { extractable: true })) });

export async function start({ client_id, client_secret, redirect_uri }) {
  const good = await key('good');
  const stranger = await key('good');
  const codes = new Map();
  let next = { person: {}, fault: null };
  let issuer;

  const describe = () => ({
    issuer,
    authorization_endpoint: `${issuer}/o/oauth2/v2/auth`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/v1/userinfo`,
    revocation_endpoint: `${issuer}/revoke`,
    jwks_uri: `${issuer}/oauth2/v3/certs`,
    response_types_supported: ['code', 'token', 'id_token', 'code token', 'code id_token', 'token id_token', 'none'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid', 'email', 'profile'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    claims_supported: ['aud', 'email', 'email_verified', 'exp', 'iat', 'iss', 'name', 'picture', 'sub'],
    code_challenge_methods_supported: ['plain', 'S256'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
  });

  const authorize = (query) => {
    if (query.get('client_id') !== client_id || query.get('redirect_uri') !== redirect_uri) return [400, 'bad client'];
    if (query.get('code_challenge_method') !== 'S256' || !query.get('nonce')) return [400, 'no PKCE or nonce'];
    const code = `4/0${randomBytes(24).toString('base64url')}`;
    codes.set(code, { ...next, nonce: query.get('nonce'), challenge: query.get('code_challenge') });
    const back = new URL(redirect_uri);
    back.searchParams.set('state', query.get('state'));
    back.searchParams.set('code', code);
    back.searchParams.set('scope', 'email profile openid');
    back.searchParams.set('authuser', '0');
    back.searchParams.set('prompt', 'consent');
    if (next.fault === 'other-issuer') back.searchParams.set('iss', 'https://evil.example');
    return [302, '', { location: back.href }];
  };

  const idToken = async ({ person, fault, nonce }) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: fault === 'token-of-another-issuer' ? 'https://evil.example' : issuer,
      azp: client_id,
      aud: fault === 'token-for-another' ? 'another-client' : client_id,
      sub: '110169484474386276334',
      email: 'ada@example.org',
      email_verified: true,
      name: 'Ada Lovelace',
      picture: 'https://lh3.googleusercontent.com/a/ada=s96-c',
      nonce: fault === 'another-nonce' ? 'another' : nonce,
      iat: fault === 'expired' ? now - 7200 : now,
      exp: fault === 'expired' ? now - 3600 : now + 3600,
      ...person,
    };
    if (fault === 'unsigned') {
      const part = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');
      return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`;
    }
    const signer = fault === 'strange-key' ? stranger : good;
    return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: signer.kid, typ: 'JWT' }).sign(signer.privateKey);
  };

  const token = async (form, authorization) => {
    const basic = Buffer.from(`${client_id}:${client_secret}`).toString('base64');
    const known =
      authorization === `Basic ${basic}` ||
      (form.get('client_id') === client_id && form.get('client_secret') === client_secret);
    if (!known) return [401, { error: 'invalid_client', error_description: 'Unauthorized' }];
    const kept = codes.get(form.get('code'));
    codes.delete(form.get('code'));
    const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
    if (!kept || kept.challenge !== challenge || form.get('redirect_uri') !== redirect_uri) {
      return [400, { error: 'invalid_grant', error_description: 'Bad Request' }];
    }
    return [
      200,
      {
        access_token: `ya29.${randomBytes(32).toString('base64url')}`,
        expires_in: 3599,
        scope: 'openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/userinfo.profile',
        token_type: 'Bearer',
        id_token: await idToken(kept),
      },
    ];
  };

  const answer = async (request, body) => {
    const url = new URL(request.url, issuer);
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /.well-known/openid-configuration':
        return [200, describe()];
      case 'GET /oauth2/v3/certs':
        return [200, { keys: [{ ...(await exportJWK(good.publicKey)), kid: good.kid, use: 'sig', alg: 'RS256' }] }];
      case 'GET /o/oauth2/v2/auth':
        return authorize(url.searchParams);
      case 'POST /token':
        return token(new URLSearchParams(body), request.headers.authorization);
      case 'POST /next':
        next = { person: {}, fault: null, ...JSON.parse(body) };
        return [200, {}];
      default:
        return [404, {}];
    }
  };

  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const [status, content, headers = {}] = await answer(request, body);
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(text);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${server.address().port}`;
  return server.address().port;
}
