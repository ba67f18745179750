namespace Gateway.EndToEndTests.Support;

[Collection(SharedMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class DockerEngineTests(DockerEngine engine)
{
    [Fact]
    public async Task Engine_ImageMadeHere_RunsAContainer()
    {
        using var image = TestImage.Create(size: 1024);
        (await engine.DockerAsync("build", "--tag", "gateway-test/engine", image.BuildContext)).Succeeded();

        var container = (await engine.DockerAsync("create", "gateway-test/engine")).Succeeded();

        Assert.Equal(64, container.Length);
        (await engine.DockerAsync("rm", container)).Succeeded();
        (await engine.DockerAsync("image", "rm", "gateway-test/engine")).Succeeded();
    }
}
