// A real OpenID provider on loopback for the end-to-end tests: any login name and password is taken by its development pages.
// Started with one argument, JSON: { port, issuer, clientId, clientSecret, redirectUri, signOutUri, groups,
// pushed: "none", "offered" or "required" }.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import Provider from 'oidc-provider';

const settings = JSON.parse(process.argv[2]);
const disabled = new Set();
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const provider = new Provider(settings.issuer, {
  clients: [{
    client_id: settings.clientId,
    client_secret: settings.clientSecret,
    redirect_uris: [settings.redirectUri],
    post_logout_redirect_uris: [settings.signOutUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  }],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' }] },
  cookies: { keys: [randomUUID()] },
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: settings.claimsInUserInfo === true,
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: true },
    pushedAuthorizationRequests: { enabled: settings.pushed !== 'none', requirePushedAuthorizationRequests: settings.pushed === 'required' },
  },
  async findAccount(_, id) {
    return disabled.has(id) ? undefined : {
      accountId: id,
      claims: () => ({ sub: id, preferred_username: id, groups: settings.groups, email: `${id}@example.com`, email_verified: true }),
    };
  },
});

// What an administrator of the provider does.
provider.use(async (context, next) => {
  if (context.path === '/test/disable') {
    disabled.add(context.query.name);
    context.body = 'disabled';
    return;
  }

  await next();
});

provider.on('pushed_authorization_request.success', () => console.log('pushed'));

provider.listen(settings.port, '127.0.0.1', () => console.log('ready'));
