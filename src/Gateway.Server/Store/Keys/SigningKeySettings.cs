namespace Gateway.Server.Store.Keys;

/// <summary>What decides when keys come, sign and go.</summary>
/// <param name="Algorithm">The algorithm of new keys; keys of another one are not used.</param>
/// <param name="RotateAfter">The age at which a successor is made; zero: never by itself.</param>
/// <param name="UploadWindow">
/// How long an upload may go on with an expired access token, so how long its key is needed.
/// </param>
internal sealed record SigningKeySettings(SigningAlgorithm Algorithm, TimeSpan RotateAfter, TimeSpan UploadWindow);
